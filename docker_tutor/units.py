"""The units that field names end in (`limit_bytes`, `period_us`), and how a person reads them."""

__all__ = ["GiB", "KiB", "MiB", "human_bytes", "human_seconds"]

KiB = 1 << 10
MiB = 1 << 20
GiB = 1 << 30


def human_bytes(count: float) -> str:
    """Write a number of bytes as a person reads it: `human_bytes(67108864) == '64 MiB'`."""
    value, unit = float(count), "B"
    for bigger in ("KiB", "MiB", "GiB"):
        if abs(round(value)) < 1024:
            break
        value, unit = value / 1024, bigger
    whole = unit == "B" or abs(value) >= 100 or value == int(value)
    return f"{value:.0f} {unit}" if whole else f"{value:.1f} {unit}"


def human_seconds(seconds: float) -> str:
    """Write a duration as a person reads it: `human_seconds(0.0123) == '12.3 ms'`."""
    if round(seconds, 1) >= 60:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    if round(seconds, 4) >= 1:
        return f"{seconds:.1f} s"
    if round(seconds, 7) >= 1e-3:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.0f} µs"
