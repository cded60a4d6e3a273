"""Series of the machine and of the server's processes, apart from what lessons do. See :mod:`lessonroom.metrics`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from prometheus_client import CollectorRegistry, Gauge

from lessonroom.gpu import Reading


class MachineSeries:
    """Gauges that :mod:`lessonroom.server.figures` sets once a second."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._gpu_used = self._gauge("gpu_utilization_ratio", "Share of time in which the GPU worked.", "gpu")
        self._gpu_memory = self._gauge("gpu_memory_used_bytes", "GPU memory in use.", "gpu")
        self._gpu_total = self._gauge("gpu_memory_bytes", "GPU memory.", "gpu")
        self._gpu_heat = self._gauge("gpu_temperature_celsius", "GPU temperature.", "gpu")
        self._gpu_power = self._gauge("gpu_power_watts", "Power that the GPU draws.", "gpu")
        self._busy = self._gauge("processor_busy_ratio", "Share of all cores that was busy, by whose work.", "whose")
        self._lag = self._gauge("event_loop_lag_seconds", "Longest wait of the event loop in the last seconds.")
        self._records = self._gauge("store_queue", "Records that wait for the database.")
        self._limit = self._gauge("load_ratio", "Share of its limit that each part of the server is at.", "part")
        self._overloaded = self._gauge("overloaded", "1 while this part takes no more, else 0.", "part")
        self._processes = self._gauge("processes", "Processes beside the server's own that are up.", "kind")

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"lessonroom_{name}", text, labels, registry=self._registry)

    def gpus_read(self, readings: Iterable[Reading]) -> None:
        """What NVML says now; what a card does not tell, and a card that does not answer, have no series."""
        told = [(str(reading.index), reading) for reading in readings]
        _tell(self._gpu_used, {gpu: reading.utilization for gpu, reading in told})
        _tell(self._gpu_memory, {gpu: reading.memory_used for gpu, reading in told})
        _tell(self._gpu_total, {gpu: reading.memory for gpu, reading in told})
        _tell(self._gpu_heat, {gpu: reading.temperature for gpu, reading in told})
        _tell(self._gpu_power, {gpu: reading.power for gpu, reading in told})

    def processor_read(self, machine: float, server: float) -> None:
        """Shares of all cores: everybody's work, and this server's with its processes."""
        self._busy.labels("machine").set(machine)
        self._busy.labels("server").set(server)

    def loop_lagged(self, seconds: float) -> None:
        """The event loop came so late."""
        self._lag.set(seconds)

    def records_wait(self, count: int) -> None:
        """So many records wait for the database."""
        self._records.set(count)

    def load_read(self, loads: Mapping[str, float], overloaded: Collection[str]) -> None:
        """Where each part stands, 1 being its limit, and which of them take no more."""
        for part, share in loads.items():
            self._limit.labels(part).set(share)
            self._overloaded.labels(part).set(part in overloaded)

    def processes_up(self, counts: Mapping[str, int]) -> None:
        """So many processes of each kind."""
        _tell(self._processes, counts)


def _tell(gauge: Gauge, values: Mapping[str, float | None]) -> None:
    """These values and no others: what went away must not be shown as it was."""
    gauge.clear()
    for label, value in values.items():
        if value is not None:
            gauge.labels(label).set(value)
