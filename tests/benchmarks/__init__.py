"""The benchmarks: pillarbox against named peers, as ratios of one interleaved run."""
