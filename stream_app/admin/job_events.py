"""What a job's training has told so far: its file of events, folded into where it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from schemas.admin import NetworkProgress, RejectedRow

STAGES = ("ingest", "preprocess", "speed", "train", "calibrate", "evaluate", "package", "report")
SHARES = (0.03, 0.02, 0.02, 0.75, 0.06, 0.08, 0.01, 0.03)  # of a usual run's time, roughly; they add up to 1
MOST_REJECTED = 1000


@dataclass
class Standing:
    """Where a training stands. It takes the events of `training/told.py`, one at a time."""

    stage: str | None = None
    named: str | None = None  # the release that it is to publish
    epochs: dict[str, int] = field(default_factory=dict)  # at most, by member, in the order of training
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    train_began: float | None = None
    newest: float | None = None
    rejected: list[RejectedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    flag_rate: float | None = None
    release: str | None = None
    promoted: bool = False

    def take(self, event: dict[str, Any]) -> None:
        """Go on by an event; an unknown one says nothing."""
        self.newest = event["at"]
        match event:
            case {"event": "run"}:
                self.named, self.epochs = event["release"], event["epochs"]
            case {"event": "stage"}:
                self.stage = event["stage"]
                self.train_began = event["at"] if self.stage == "train" else self.train_began
            case {"event": "ingested"}:
                self.notes = event["notes"]
            case {"event": "rejected"}:
                self.rejected = [RejectedRow(**row) for row in event["rows"][:MOST_REJECTED]]
            case {"event": "network"}:
                self.networks[event["network"]] = {"epoch": 0, "share": 0.0, "validation_losses": []}
            case {"event": "batch"}:
                share = event["done"] / max(event["total"], 1)
                self.networks[event["network"]] |= {"share": share, "loss": event["loss"]}
            case {"event": "epoch"}:
                told = {key: event[key] for key in ("epoch", "loss", "validation_loss")}
                self.networks[event["network"]] |= told
                self.networks[event["network"]]["validation_losses"].append(event["validation_loss"])
            case {"event": "evaluated"}:
                self.flag_rate = event["flagged"] / event["windows"] if event["windows"] else None
            case {"event": "published"}:
                self.release, self.promoted = event["release"], event["promoted"]

    @property
    def progress(self) -> float:
        """The share of the whole that is done."""
        if self.stage is None:
            return 0.0
        at = STAGES.index(self.stage)
        within = self._trained if self.stage == "train" else 0.0
        return round(sum(SHARES[:at]) + SHARES[at] * within, 4)

    @property
    def seconds_left(self) -> float | None:
        """Of the networks' training, if the pace so far goes on."""
        if self.stage != "train" or self.train_began is None or self.newest is None or self._trained < 0.01:
            return None
        return round((self.newest - self.train_began) * (1 - self._trained) / self._trained, 1)

    @property
    def _trained(self) -> float:
        """The share of all networks' training; one that another has followed is done, perhaps early."""
        begun = list(self.networks.values())
        shares = [1.0] * (len(begun) - 1) + [network["share"] for network in begun[-1:]]
        return min(sum(shares) / max(len(self.epochs), 1), 1.0)

    def seen(self) -> list[NetworkProgress]:
        """The networks that have begun."""
        return [
            NetworkProgress(
                network=name,
                epoch=at["epoch"],
                epochs=self.epochs.get(name, 0),
                loss=at.get("loss"),
                validation_loss=at.get("validation_loss"),
                validation_losses=list(at["validation_losses"]),
            )
            for name, at in self.networks.items()
        ]


class Follower:
    """Reads a growing file of events, each line once, whatever thread asks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.standing = Standing()
        self._offset = 0
        self._lock = Lock()

    def read(self) -> Standing:
        """Where the training stands now; a line that is not whole yet waits."""
        with self._lock:
            return self._read()

    def _read(self) -> Standing:
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return self.standing
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self.standing.take(json.loads(line))
        return self.standing
