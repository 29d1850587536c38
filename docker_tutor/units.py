"""The units that field names end in (`limit_bytes`, `period_us`), and how a person reads them."""

__all__ = ["GiB", "KiB", "MiB", "human_bytes", "human_seconds"]

KiB = 1 << 10
MiB = 1 << 20
GiB = 1 << 30


def human_bytes(count: float) -> str:
    """Write a number of bytes as a person reads it: `human_bytes(67108864) == '64 MiB'`."""
    for unit, size in (("GiB", GiB), ("MiB", MiB), ("KiB", KiB)):
        if abs(count) >= size:
            value = count / size
            return f"{value:.0f} {unit}" if value >= 100 or value == int(value) else f"{value:.1f} {unit}"
    return f"{count:.0f} B"


def human_seconds(seconds: float) -> str:
    """Write a duration as a person reads it: `human_seconds(0.0123) == '12.3 ms'`."""
    if seconds >= 60:
        return f"{int(seconds // 60)} min {seconds % 60:.0f} s"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.0f} µs"
