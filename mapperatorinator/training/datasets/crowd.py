"""The same function over many items: here, on every core, or on a cluster; one that takes its process down costs
only itself."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from mapperatorinator.errors import UserError

Item = TypeVar("Item")
Answer = TypeVar("Answer")
CRASH = "the program that reads it crashed"


def spread(
    work: Callable[[Item], Answer], items: Sequence[Item], workers: int = 1, cluster: bool = False
) -> Iterator[tuple[Item, Answer | None]]:
    """Yield every item with its answer, in any order; None where `work` crashed its process.

    workers : processes, 1: this one. cluster : on the machines of a Ray cluster instead; UserError without Ray.
    """
    if cluster:
        yield from _on_cluster(work, items)
    elif workers <= 1:
        yield from ((item, work(item)) for item in items)
    else:
        yield from _on_cores(work, items, workers)


def _on_cores(
    work: Callable[[Item], Answer], items: Sequence[Item], workers: int
) -> Iterator[tuple[Item, Answer | None]]:
    todo = dict(enumerate(items))
    while todo:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            futures = {pool.submit(work, item): number for number, item in todo.items()}
            try:
                for future in as_completed(futures):
                    answer = future.result()
                    yield todo.pop(futures[future]), answer
            except BrokenProcessPool:
                for future, number in futures.items():
                    if number in todo and future.done() and not future.cancelled() and future.exception() is None:
                        yield todo.pop(number), future.result()
                if workers == 1 and todo:
                    yield todo.pop(min(todo)), None
            finally:
                pool.shutdown(cancel_futures=True)
        workers = 1  # one by one from here, so that it shows which one it is


def _on_cluster(work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[tuple[Item, Answer | None]]:
    try:
        import ray
    except ImportError as error:
        raise UserError("A cluster needs Ray: pip install 'mapperatorinator[cluster]'.") from error
    if not ray.is_initialized():
        ray.init(ignore_reinit_error=True)
    remote: Any = ray.remote(work)
    waiting = {remote.remote(item): item for item in items}
    while waiting:
        done, _ = ray.wait(list(waiting))
        for reference in done:
            item = waiting.pop(reference)
            try:
                yield item, ray.get(reference)
            except ray.exceptions.WorkerCrashedError:
                yield item, None
