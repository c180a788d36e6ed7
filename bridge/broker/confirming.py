"""What goes wrong between a publish and its confirm, in our words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aio_pika.exceptions import AMQPError, ChannelClosed, ChannelNotFoundEntity, DeliveryError, PublishError
from aiormq.exceptions import ChannelAccessRefused

from bridge.broker.trouble import trouble
from bridge.errors import BrokerError, BrokerUnavailable, PublishRefused


@contextmanager
def in_our_words(returned: BrokerError) -> Iterator[None]:
    """Turn the library's errors into BrokerErrors; `returned` is what it means that a message found no queue."""
    try:
        yield
    except (PublishError, ChannelNotFoundEntity) as error:
        raise returned from error
    except DeliveryError as error:
        raise PublishRefused("the broker refused the message: a queue that it would go to is full") from error
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        raise BrokerUnavailable("the connection broke") from None
    except ChannelAccessRefused as error:
        raise PublishRefused(f"the broker does not let us send there ({error})") from error
    except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
        raise BrokerUnavailable(_broken(error)) from error


def _broken(error: BaseException) -> str:
    """Say why there was no answer."""
    if isinstance(error, TimeoutError):
        return "the broker does not answer"
    return str(trouble(error)) if isinstance(error, ChannelClosed) else f"the connection broke ({type(error).__name__})"
