"""The command line `pathscope`."""
