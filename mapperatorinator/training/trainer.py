"""One trainer for all sequence networks, on one processor or on many machines, that can be killed at any time.

A step is the mean over all labels of all processes and parts of a batch, so two processes learn exactly what one
does with twice the batch. What a checkpoint holds is enough to go on to the same numbers.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import broadcast_object_list, gather_object, set_seed
from torch import Tensor

from mapperatorinator.errors import UserError
from mapperatorinator.training.ahead import Ahead, Feed, Tensors, as_tensors
from mapperatorinator.training.blueprint import address, samples_of
from mapperatorinator.training.datasets.batches import batches
from mapperatorinator.training.datasets.samples import Samples
from mapperatorinator.training.meter import Hits, Speed, flops_of_sample, peak_flops
from mapperatorinator.training.optimisers import optimiser_of, set_rate
from mapperatorinator.training.recipe import Recipe
from mapperatorinator.training.sequence_net import NO_LOSS, loss_sum, token_weights
from mapperatorinator.training.subject import ADAPTER, Subject, subject_of

CHECKPOINTS, PREFIX, STATE, PROGRESS, LOG = "checkpoints", "checkpoint_", "state", "progress.json", "log.jsonl"


def train(recipe: Recipe) -> dict[str, float]:
    """Train what a recipe says and return the last figures; everything it makes goes to its `run_dir`.

    UserError if data, checkpoint or options do not go together.
    """
    accelerator = accelerator_of(recipe)
    begun = _begun(recipe)  # after all agree on run_dir
    set_seed(recipe.seed)
    subject = subject_of(recipe, begun)
    tests = partial(_feed, recipe, subject, accelerator, test=True) if recipe.data.test_dataset_path else None
    if tests is not None:
        tests()  # a test set that is not there is said now, not after a thousand steps
    feed = _feed(recipe, subject, accelerator) if recipe.mode == "train" else None
    trainer = Trainer(recipe, subject, accelerator, feed, tests)
    if recipe.mode != "train":
        figures = trainer.measure()
        accelerator.print(_line("test", figures))
        return figures
    if begun is not None:
        trainer.take_up(begun)
    return trainer.run()


def accelerator_of(recipe: Recipe) -> Accelerator:
    """The devices of a recipe and where its figures go; all processes agree on `run_dir`."""
    cpu = recipe.device == "cpu" or not (torch.cuda.is_available() or torch.backends.mps.is_available())
    kind = recipe.precision or recipe.mixed_precision
    kind = "no" if kind in ("fp32", "") else kind
    slow = cpu and kind != "no" and not _is_fast_in_half()
    torch.backends.cuda.matmul.allow_tf32 = True
    torch._dynamo.config.suppress_errors = True  # where nothing can be compiled, it runs as it is
    PartialState(cpu=cpu)
    recipe.run_dir = recipe.run_dir or time.strftime("logs/%Y-%m-%d/%H-%M-%S")
    recipe.run_dir = broadcast_object_list([recipe.run_dir])[0]
    try:
        accelerator = Accelerator(
            mixed_precision="no" if slow else kind, cpu=cpu, log_with=_trackers(recipe), project_dir=recipe.run_dir
        )
    except ValueError as error:
        raise UserError(f"{error}.") from error
    if slow:
        accelerator.print(f"This processor is slow in {kind}: computing in fp32.")
    return accelerator


def _trackers(recipe: Recipe) -> list[str]:
    """Where figures go; UserError if what writes them is not installed."""
    asked = recipe.logging.log_with or ("tensorboard,wandb" if os.environ.get("WANDB_API_KEY") else "tensorboard")
    for name in asked.split(","):
        if importlib.util.find_spec(name) is None:
            raise UserError(f"Logging to {name} needs it: pip install {name}, or choose with logging.log_with=.")
    return asked.split(",")


def _is_fast_in_half() -> bool:
    """Whether this processor has instructions for products in bfloat16."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def newest(run: Path) -> Path | None:
    """The last checkpoint of a run."""
    there = run.glob(f"{CHECKPOINTS}/{PREFIX}*")
    return max(there, key=lambda path: int(path.name.removeprefix(PREFIX)), default=None)


def _begun(recipe: Recipe) -> Path | None:
    if not recipe.checkpoint_path:
        return newest(Path(recipe.run_dir))
    path = Path(recipe.checkpoint_path)
    path = path if (path / PROGRESS).is_file() else newest(path) or path
    if not (path / PROGRESS).is_file():
        raise UserError(f"There is no checkpoint of a run at {path}; to begin with a model, use pretrained_path=.")
    return path


def _feed(recipe: Recipe, subject: Subject, accelerator: Accelerator, test: bool = False) -> Feed:
    rows = max(recipe.optim.batch_size // recipe.optim.grad_acc, 1)
    samples = Samples(
        address(recipe.data, test), subject.vocabulary, samples_of(recipe.data, test), seed=recipe.seed,
        rank=accelerator.process_index, world=accelerator.num_processes,
    )  # fmt: skip
    workers = min(recipe.dataloader.num_workers, max((os.cpu_count() or 1) - 1, 1))
    buffer = 0 if test else recipe.dataloader.balancer_buffer_size
    return batches(samples, rows=rows, buffer=buffer or rows, workers=0 if test else workers)


class Trainer:
    """A run: subject, optimiser, data and place. Works on batches; knows nothing of maps or songs."""

    def __init__(
        self, recipe: Recipe, subject: Subject, accelerator: Accelerator, feed: Feed | None,
        tests: Callable[[], Feed] | None = None,
    ) -> None:  # fmt: skip
        self.recipe, self.subject, self.accelerator = recipe, subject, accelerator
        self.feed, self.tests, self.step = feed, tests, 0
        self.run_dir = Path(recipe.run_dir)
        data, device = recipe.data, accelerator.device
        self.token_weight = token_weights(subject.vocabulary, data.rhythm_weight).to(device)
        self.smoothing = data.label_smoothing
        if recipe.compile and device.type != "mps":
            subject.net.compile()
        self.net, self.optimiser = accelerator.prepare(subject.net, optimiser_of(subject.net, recipe.optim))
        accelerator.register_save_state_pre_hook(_leave_out_the_network)
        accelerator.register_load_state_pre_hook(lambda models, _: models.clear())
        self._state: dict[str, Any] = feed.state_dict() if feed else {}
        half = {"bf16": torch.bfloat16, "fp16": torch.float16}
        self.peak = peak_flops(device, half.get(accelerator.mixed_precision, torch.float32))

    def run(self) -> dict[str, float]:
        """Train to the last step; returns the last figures."""
        assert self.feed is not None
        recipe, accelerator, last = self.recipe, self.accelerator, self.recipe.optim.total_steps
        self._begin_logs()
        rows = max(recipe.optim.batch_size // recipe.optim.grad_acc, 1)
        depth = max(recipe.dataloader.balancer_buffer_size // (2 * rows), 2 * recipe.optim.grad_acc)
        ahead = Ahead(self.feed, depth, recipe.dataloader.pin_memory and accelerator.device.type == "cuda")
        stream, speed, figures = iter(ahead), Speed(), dict[str, float]()
        self.net.train()
        try:
            with self._profiler() as profiler:
                while self.step < last:
                    figures = self._learn(self._next(stream, speed), speed)
                    if self.step % recipe.logging.every_steps == 0 or self.step == last:
                        figures |= speed.report(accelerator.num_processes, self.peak)
                        self._log("step", figures)
                    if self.tests is not None and (self.step % recipe.eval.every_steps == 0 or self.step == last):
                        measured = self.measure()
                        self._log("test", measured)
                        figures |= measured
                        speed = Speed()
                    if self.step % recipe.checkpoint.every_steps == 0 or self.step == last:
                        self.keep()
                    if profiler is not None:
                        profiler.step()
                        if recipe.profile.early_stop and self.step >= _profiled(recipe):
                            break
        finally:
            ahead.close()
        accelerator.end_training()
        return figures

    def _next(self, stream: Any, speed: Speed) -> list[Tensors]:
        """The parts of the next batch, on the device."""
        parts = []
        for _ in range(self.recipe.optim.grad_acc):
            begun = time.perf_counter()
            part, self._state = next(stream)
            speed.waited += time.perf_counter() - begun
            rows, tokens = part["labels"].shape
            speed.tokens += int((part["decoder_input_ids"] != 0).sum())
            frozen = self.subject.adapter is not None
            speed.flops += rows * flops_of_sample(self.subject.net.network.shape, -(-tokens // 64) * 64, frozen)
            parts.append({name: value.to(self.accelerator.device, non_blocking=True) for name, value in part.items()})
        return parts

    def _learn(self, parts: list[Tensors], speed: Speed) -> dict[str, float]:
        """One step of the optimiser."""
        accelerator, recipe = self.accelerator, self.recipe
        count = torch.stack([(part["labels"] != NO_LOSS).sum() for part in parts]).sum()
        count = accelerator.reduce(count, "sum").clamp(min=1)
        total = torch.zeros((), device=accelerator.device)
        for number, part in enumerate(parts):
            with nullcontext() if number == len(parts) - 1 else accelerator.no_sync(self.net):
                loss = self._loss(self.net(part), part) / count
                accelerator.backward(loss * accelerator.num_processes)  # gradients of processes are averaged
            total += loss.detach()
        learned = [value for value in self.subject.net.parameters() if value.requires_grad]
        size = accelerator.clip_grad_norm_(learned, recipe.optim.grad_clip or float("inf"))
        rate = set_rate(self.optimiser, self.step, recipe.optim)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.step += 1
        if self.step % recipe.logging.every_steps and self.step != recipe.optim.total_steps:
            return {}  # reading a figure would make the device wait
        figures = {"loss": float(accelerator.reduce(total, "sum")), "learning_rate": rate}
        if recipe.logging.grad_l2:
            figures["grad_l2"] = float(size)
        if recipe.logging.weights_l2:
            figures["weights_l2"] = float(torch.stack([v.detach().norm() for v in learned]).norm())
        return figures

    def _loss(self, logits: Tensor, part: Tensors) -> Tensor:
        weight = part.get("sample_weights")
        return loss_sum(logits, part["labels"], self.token_weight, self.smoothing, weight)

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Loss (without weights and smoothing) and accuracies on the test set."""
        if self.tests is None:
            raise UserError("There is nothing to test on: give data.test_dataset_path=FOLDER.")
        accelerator, net = self.accelerator, self.subject.net
        hits, sums = Hits(self.subject.vocabulary, accelerator.device), torch.zeros(2, device=accelerator.device)
        even = torch.ones_like(self.token_weight)
        net.eval()
        for number, batch in enumerate(self.tests()):
            if number == self.recipe.eval.steps:
                break
            part = {name: value.to(accelerator.device) for name, value in as_tensors(batch).items()}
            with accelerator.autocast():
                logits = net(part)
            sums += torch.stack((loss_sum(logits, part["labels"], even), (part["labels"] != NO_LOSS).sum()))
            hits.add(logits, part["labels"])
        net.train()
        hits.counts, sums = accelerator.reduce(hits.counts, "sum"), accelerator.reduce(sums, "sum")
        if not sums[1]:
            raise UserError("The test set is empty: data.test_dataset_start and _end leave out all its songs.")
        return {"test_loss": float(sums[0] / sums[1]), **hits.figures()}

    def keep(self) -> None:
        """Write a checkpoint: first beside its place, so that a kill leaves the older ones whole."""
        accelerator, folder = self.accelerator, self.run_dir / CHECKPOINTS
        new = folder / "new"
        places = gather_object([self._state])
        if accelerator.is_main_process:
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
        accelerator.wait_for_everyone()
        accelerator.save_state(str(new / STATE))
        if accelerator.is_main_process:
            self.subject.facts |= {"steps": self.step} if self.subject.adapter is not None else {}
            self.subject.save(new)
            (new / PROGRESS).write_text(json.dumps({"step": self.step, "feeds": places}), encoding="utf-8")
            shutil.rmtree(folder / f"{PREFIX}{self.step}", ignore_errors=True)  # of a run that began further back
            new.replace(folder / f"{PREFIX}{self.step}")
            kept = sorted(folder.glob(f"{PREFIX}*"), key=lambda p: int(p.name.removeprefix(PREFIX)))
            for old in kept[: -self.recipe.checkpoint.keep or None]:
                shutil.rmtree(old)
        accelerator.wait_for_everyone()
        where = folder / f"{PREFIX}{self.step}"
        use = f"lora_path={where / ADAPTER}" if self.subject.adapter is not None else f"model_path={where}"
        accelerator.print(f"kept {where}; maps with it: python inference.py {use}")

    def take_up(self, folder: Path) -> None:
        """Go on where the checkpoint `folder` was written; the subject has its weights already."""
        told = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
        if len(told["feeds"]) != self.accelerator.num_processes:
            raise UserError(
                f"{folder} was written by {len(told['feeds'])} processes, and these are "
                f"{self.accelerator.num_processes}: go on with as many."
            )
        self.accelerator.load_state(str(folder / STATE))
        self.step, self._state = int(told["step"]), told["feeds"][self.accelerator.process_index]
        if self.feed is not None:
            self.feed.load_state_dict(self._state)
        self.accelerator.print(f"going on from {folder}")

    def _begin_logs(self) -> None:
        logging = self.recipe.logging
        flat = {
            f"{group}.{key}" if isinstance(values, dict) else group: str(value)
            for group, values in asdict(self.recipe).items()
            for key, value in (values.items() if isinstance(values, dict) else [("", values)])
        }
        named = {"mode": logging.mode, "name": logging.run_name or self.run_dir.name}
        self.accelerator.init_trackers("mapperatorinator", flat, {"wandb": named})
        if self.accelerator.is_main_process:
            (self.run_dir / "recipe.json").write_text(json.dumps(asdict(self.recipe), indent=1), encoding="utf-8")
        learned = sum(value.numel() for value in self.subject.net.parameters() if value.requires_grad)
        self.accelerator.print(
            f"{learned / 1e6:.2f} M parameters learn on {self.accelerator.num_processes} × {self.accelerator.device}, "
            f"{self.accelerator.mixed_precision} mixed precision, peak {self.peak / 1e9:.0f} GFLOP/s"
        )

    def _log(self, what: str, figures: dict[str, float]) -> None:
        self.accelerator.log(figures, self.step)
        if self.accelerator.is_main_process:
            with (self.run_dir / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": self.step, "kind": what, **figures}) + "\n")
        self.accelerator.print(_line(f"{what} {self.step}/{self.recipe.optim.total_steps}", figures), flush=True)

    def _profiler(self) -> Any:
        asked = self.recipe.profile
        if not asked.do_profile:
            return nullcontext()
        return torch.profiler.profile(
            schedule=torch.profiler.schedule(
                wait=asked.wait, warmup=asked.warmup, active=asked.active, repeat=asked.repeat
            ),
            on_trace_ready=torch.profiler.tensorboard_trace_handler(str(self.run_dir / "profile")),
        )


def _profiled(recipe: Recipe) -> int:
    """Steps after which the profile is complete."""
    asked = recipe.profile
    return (asked.wait + asked.warmup + asked.active) * max(asked.repeat, 1)


def _leave_out_the_network(models: list[Any], weights: list[Any], folder: str) -> None:
    """The subject writes its weights itself, in the layout that inference reads."""
    weights.clear()


def _line(what: str, figures: dict[str, float]) -> str:
    shares = {"share_of_peak", "data_wait"}
    words = (f"{n.replace('_', ' ')} {v:.1%}" if n in shares else f"{n.replace('_', ' ')} {v:.4g}" for n, v in figures.items())
    return f"{what}: {', '.join(words)}"
