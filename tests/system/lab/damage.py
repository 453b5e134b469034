"""Bytes that rot on the disk."""
import mmap


def damage(path, text):
    """Changes one bit of every place in the file that holds `text`; how many. What a running process has mapped changes with it."""
    count = 0
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        at = content.find(text)
        while at >= 0:
            content[at] ^= 1
            count += 1
            at = content.find(text, at + 1)
    return count
