"""For the tests of a host: loaded by pytest wherever the distribution is installed, and by nothing else."""
