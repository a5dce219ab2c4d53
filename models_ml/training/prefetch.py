"""Work done ahead of its turn, in threads, so that who needs the results never waits for them."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    make: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int,
    depth: int,
    begin: Callable[[], object] | None = None,
) -> Generator[Result, None, None]:
    """Yield ``make(item)`` for each of *items*, in their order, *depth* of them made in advance.

    *begin* runs once in each thread. What *make* raises is raised where its result would be
    yielded, and nothing after it is.
    """
    left = iter(items)
    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            waiting.extend(pool.submit(make, item) for item in islice(left, depth))
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(make, item) for item in islice(left, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()
