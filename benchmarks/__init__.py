"""What Pathscope's speed is measured with; `make bench`."""
