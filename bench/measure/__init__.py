"""What every measuring command shares: driving the generator, statistics, the machine, tables, plots, progress."""
