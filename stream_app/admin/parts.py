"""What the routes work with, made once from the settings: whoever adds a part adds a line here."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import torch
from fastapi import Depends, Request

from models.store import open_store
from models.store.base import Store
from monitoring.admin_metrics import AdminMetrics
from monitoring.metrics import new_registry
from stream_app.admin.access import Access
from stream_app.admin.audit import Audit
from stream_app.admin.catalogue import Catalogue
from stream_app.admin.cleaning import Cleaning
from stream_app.admin.database import Database, DatabaseError
from stream_app.admin.datasets import Datasets
from stream_app.admin.detectors import Detectors
from stream_app.admin.drifting import DriftFigures
from stream_app.admin.folders import Folders
from stream_app.admin.idempotency import Idempotency
from stream_app.admin.jobs import Jobs
from stream_app.admin.predict import Predictor
from stream_app.admin.room import Room
from stream_app.admin.scoring import Scoring
from stream_app.admin.stopping import heard
from stream_app.admin.tokens import Tokens
from stream_app.admin.training_command import Training
from stream_app.admin.uploads import Uploads
from stream_app.admin.workshop import Workshop
from stream_app.drift_watch import DriftWatch
from stream_app.fleet import local
from stream_app.reload import Releases
from training import lock

if TYPE_CHECKING:
    from config.settings import Settings

DATABASE, LOCK = "admin.db", ".lock"


@dataclass(frozen=True)
class Parts:
    """The services, by name."""

    settings: Settings
    database: Database
    store: Store
    access: Access
    audit: Audit
    folders: Folders
    datasets: Datasets
    jobs: Jobs
    workshop: Workshop
    training: Training
    uploads: Uploads
    catalogue: Catalogue
    detectors: Detectors
    predictor: Predictor
    scoring: Scoring
    drifting: DriftFigures
    pool: ThreadPoolExecutor  # where predictions are worked on

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the folder to itself. Raises DatabaseError when another process has it."""
        try:
            with lock.held(self.folders.root / LOCK):
                yield
        except lock.Held as holder:
            raise DatabaseError(
                f"process {holder} serves {self.folders.root} already; stop it, or choose another admin.folder"
            ) from None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """From start to end of the service."""
        try:
            with self.alone():
                self.folders.tidy()
                self.workshop.start()
                try:
                    with heard(self.workshop.rest), self.detectors.watching():
                        yield
                finally:
                    self.workshop.stop()
                    self.pool.shutdown(cancel_futures=True)
        finally:
            self.database.close()


def assemble(settings: Settings, detectors: Path) -> Parts:
    """Everything, built and not yet at work; `detectors` is the folder of training configs."""
    admin, store = settings.admin, open_store(settings.store.url)
    database = Database(admin.folder / DATABASE)
    folders = Folders(admin.folder, admin.free_megabytes)
    training = Training(detectors, admin.config, settings.store.url, admin.job_memory_megabytes, admin.tracked)
    datasets = Datasets(database, store)
    jobs = Jobs(database, folders, admin.jobs_waiting_cap, admin.owner_jobs_waiting_cap)
    cleaning = Cleaning(database, folders, admin.jobs_kept)
    workshop = Workshop(jobs, training, cleaning, store, admin.jobs_at_once, admin.job_minutes)
    uploads = Uploads(
        database, folders, datasets, jobs, workshop, training, Idempotency(database), admin.upload_megabytes
    )
    metrics = AdminMetrics(new_registry())
    cap, threads = settings.worker.detectors_cap, settings.worker.threads
    releases = Releases(store, cap, metrics)
    loaded = Detectors(store, releases, cap, settings.store.poll_seconds)
    drift = DriftWatch(settings.drift, cap, releases, metrics)
    workers = [local(settings) if url == "local" else url for url in admin.workers]
    room = Room(admin.predictions_cap, admin.predictions_megabytes, metrics)
    predictor = Predictor(datasets, loaded, metrics, drift, room, admin.predict_megabytes)
    pool = ThreadPoolExecutor(admin.predictions_at_once, "predict", torch.set_num_threads, (threads,))
    return Parts(
        settings=settings,
        database=database,
        store=store,
        access=Access(Tokens(database), admin.failures_cap),
        audit=Audit(database),
        folders=folders,
        datasets=datasets,
        jobs=jobs,
        workshop=workshop,
        training=training,
        uploads=uploads,
        catalogue=Catalogue(datasets, jobs, workshop, uploads, store),
        detectors=loaded,
        predictor=predictor,
        scoring=Scoring(predictor.play, pool, admin.predictions_at_once, admin.turn_readings),
        drifting=DriftFigures(workers, predictor.exposition),
        pool=pool,
    )


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


With = Annotated[Parts, Depends(_parts)]  # a route's parameter `parts: With`
