"""The training config: everything that shapes a detector, as versioned YAML under `config/detectors/`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

Whole = Annotated[int, Strict()]  # true is no 1, and 8.0 no 8
Share = Annotated[float, Field(gt=0, lt=1)]
AUTOREGRESSION, LEVEL = "var", "level"  # the names of the members that are no networks


class Section(BaseModel):
    """A part of the config: frozen, and an unknown key is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WindowConfig(Section):
    """How a series is cut: `size` rows a window, a new one every `stride` rows.

    A size that `shrinks` is halved where the readings are too few for it: that of the defaults does, one that somebody
    names does not, unless asked to.
    """

    size: Whole = Field(64, ge=4, le=4096)
    stride: Whole = Field(1, ge=1, le=4096)
    shrinks: Annotated[bool, Strict()] = True

    @model_validator(mode="before")
    @classmethod
    def _is_meant(cls, values: Any) -> Any:
        return {"shrinks": False, **values} if isinstance(values, dict) and "size" in values else values


class MissingConfig(Section):
    """A missing value repeats the last one for at most `hold_limit` rows, then becomes the feature's training mean."""

    hold_limit: Whole = Field(10, ge=0, le=32_000)


class GapConfig(Section):
    """A pause of more than `factor` median training intervals restarts a window."""

    factor: float = Field(10.0, gt=1)


class SplitConfig(Section):
    """The parts of each series in order of time; what is left after calibration is the test part.

    Networks learn on `train`, and the epoch that is kept is the best on `validation`. Scaler and closed forms are
    fitted to all three, and what is normal is told by errors on all three, each held out once.
    """

    train: Share = 0.6
    validation: Share = 0.1
    calibration: Share = 0.15

    @model_validator(mode="after")
    def _leaves_a_test_part(self) -> Self:
        total = self.train + self.validation + self.calibration
        if total >= 1:
            raise ValueError(f"train + validation + calibration is {total:g}; leave some below 1 for the test part")
        return self


class ScalingConfig(Section):
    """Values are standardised on all before the test part; networks see at most `clip` standard deviations."""

    clip: float = Field(10.0, gt=0)


class NetworkConfig(Section):
    """The size of one autoencoder. For the CNN, `hidden` is channels and `layers` are halvings of the window.

    It sees the newest `rows` rows of the window, and its error is the mean over the newest `judged` of them; 0 is all.
    `linear` is the share of the windows' variance that a frozen path of principal components explains, to which the
    network adds; 0 is no such path.
    """

    hidden: Whole = Field(32, ge=1, le=1024)
    latent: Whole = Field(16, ge=1, le=1024)
    layers: Whole = Field(1, ge=1, le=8)
    dropout: float = Field(0.0, ge=0, lt=1)
    rows: Whole = Field(0, ge=0, le=4096)
    judged: Whole = Field(0, ge=0, le=4096)
    linear: float = Field(0.0, ge=0, lt=1)


class AutoregressionConfig(Section):
    """A linear forecast as one more member, named `var`: it takes part if `use` is true.

    Each of the newest `judged` rows is foretold from the `lags` rows before it; `ridge` keeps the coefficients small,
    in rows of training data. `weight` is its part in a "weighted" score, where a network's is 1.
    """

    use: Annotated[bool, Strict()] = True
    lags: Whole = Field(3, ge=1, le=64)
    judged: Whole = Field(16, ge=1, le=4096)
    ridge: float = Field(1.0, gt=0)
    weight: float = Field(3.0, ge=0)


class LevelConfig(Section):
    """The distance from the usual level as one more member, named `level`: it takes part if `use` is true.

    It looks at the mean of the newest `rows` rows, 0 is all; `weight` is its part in a "weighted" score.
    """

    use: Annotated[bool, Strict()] = True
    rows: Whole = Field(32, ge=0, le=4096)
    weight: float = Field(0.25, ge=0)


class OptimiserConfig(Section):
    """How the networks are trained. The same seed and number of threads on the same data give the same tensors.

    `batch_size` is the most: few windows are taken in smaller steps, so that an epoch has some 32 of them. `threads` 0
    is as many as a short measurement before the training finds worth it; the run keeps to that.
    """

    epochs: Whole = Field(8, ge=1)
    learning_rate: float = Field(3e-3, gt=0)
    batch_size: Whole = Field(256, ge=1)
    patience: Whole = Field(3, ge=1)
    seed: Whole = Field(7, ge=0, lt=2**32)
    threads: Whole = Field(0, ge=0, le=1024)


class EnsembleConfig(Section):
    """How the members' errors become one score; `weights` are for "weighted", 1 where there is none.

    `feature_floor` is c in: divide a feature's error by its own normal error + c x the median over features.
    `hold` h makes a score at least h times the one before it; 0 is off.
    """

    combine: Literal["mean", "median", "max", "weighted", "vote"] = "weighted"
    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    feature_floor: float = Field(1.0, gt=0)
    hold: float = Field(0.93, ge=0, lt=1)


class ThresholdConfig(Section):
    """How the threshold is found: `rate` is the promised share of normal windows that are flagged."""

    method: Literal["quantile", "k_sigma", "pot", "budget"] = "budget"
    rate: float = Field(0.01, gt=0, lt=0.5)
    k: float = Field(3.0, gt=0)


class TrainingConfig(Section):
    """All of it. `format` grows when a key changes its meaning."""

    format: Literal[1] = 1
    window: WindowConfig = WindowConfig()
    missing: MissingConfig = MissingConfig()
    gap: GapConfig = GapConfig()
    split: SplitConfig = SplitConfig()
    scaling: ScalingConfig = ScalingConfig()
    networks: dict[str, NetworkConfig] = Field(
        default_factory=lambda: {
            "lstm_ae": NetworkConfig(rows=16, judged=8, linear=0.9),
            "gru_ae": NetworkConfig(rows=32, judged=8, linear=0.9),
            "cnn_ae": NetworkConfig(layers=2, judged=8, linear=0.9),
        },
        min_length=1,
    )
    autoregression: AutoregressionConfig = AutoregressionConfig()
    level: LevelConfig = LevelConfig()
    training: OptimiserConfig = OptimiserConfig()
    ensemble: EnsembleConfig = EnsembleConfig()
    threshold: ThresholdConfig = ThresholdConfig()

    @property
    def members(self) -> tuple[str, ...]:
        """The names of all that has a part in the score, in their order everywhere: the networks first."""
        beside = {AUTOREGRESSION: self.autoregression.use, LEVEL: self.level.use}
        return (*self.networks, *(name for name, used in beside.items() if used))

    @property
    def weights(self) -> tuple[float, ...]:
        """Each member's part in a "weighted" score, as they are in `members`."""
        given = {AUTOREGRESSION: self.autoregression.weight, LEVEL: self.level.weight} | self.ensemble.weights
        return tuple(given.get(name, 1.0) for name in self.members)

    @model_validator(mode="after")
    def _weighs_its_members(self) -> Self:
        strangers = self.ensemble.weights.keys() - set(self.members)
        if strangers:
            raise ValueError(
                f"ensemble.weights.{min(strangers)} weighs what takes no part; there are {', '.join(self.members)}"
            )
        if not any(self.weights):
            raise ValueError("ensemble.weights are all 0; give at least one member a weight above 0")
        return self
