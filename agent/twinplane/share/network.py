"""Network shares: rates and bursts as the kernel keeps them, so that wanted and read back compare equal.

HTB counts rates in whole bytes per second and bursts in ticks of 64 ns of sending at that rate
(net/pkt_sched.h: PSCHED_SHIFT; iproute2 names the ticks tc_core_time2tick).
"""

TICKS_PER_SECOND = 1_000_000_000 // 64
MOST_TICKS = 0xFFFFFFFF
MOST_BURST = 0xFFFFFFFF  # bytes; what a burst is read back as is shown in 32 bits
MOST_RATE = 1_000_000_000_000  # bit/s; the burst that suits it is still far below the greatest
ETHERNET_OVERHEAD = 22  # header, a VLAN tag and the frame check sequence
TICK_RATE = 100  # per second; the slowest timer tick that kernels are built with


def kernel_rate(rate: int) -> int:
    """A rate in bit/s rounded down to what the kernel keeps (never more than was asked)."""
    return rate // 8 * 8


def default_burst(rate: int, mtu: int) -> int:
    """The burst in bytes for a rate in bit/s where none is configured.

    Enough for the rate to be reached when the queue is served once per timer tick (10 ms at 100 Hz, a busy
    host), and for two full frames, so that one that just missed its turn does not stop the next. Larger
    bursts would only let more through at once: HTB lends what a segmented (GSO) frame takes beyond it.
    """
    return max(rate // 8 // TICK_RATE, 2 * (mtu + ETHERNET_OVERHEAD))


def burst_ticks(rate: int, burst: int) -> int:
    """The burst as the kernel keeps it: the ticks that `burst` bytes take at `rate` bit/s, rounded up. Above
    125 Mbit/s several bursts share one number of ticks; the kernel holds at most `MOST_TICKS` (274 s)."""
    return -(-burst * 8 * TICKS_PER_SECOND // rate)


def kernel_burst(rate: int, burst: int) -> int:
    """The burst in bytes that is read back after `burst` bytes were written at a rate the kernel keeps.

    Applying it twice changes nothing, so a plan that wants this value finds it in the kernel.
    """
    return burst_ticks(rate, burst) * (rate // 8) // TICKS_PER_SECOND


def most_burst(rate: int) -> int:
    """The greatest burst in bytes that can be asked for at a rate the kernel keeps: it holds its ticks, and
    what is read back is at most `MOST_BURST`."""
    octets = rate // 8
    ticks = min(MOST_TICKS, ((MOST_BURST + 1) * TICKS_PER_SECOND - 1) // octets)
    return ticks * octets // TICKS_PER_SECOND
