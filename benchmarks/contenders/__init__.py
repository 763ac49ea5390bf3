"""Whoever walks the list: a module each, imported only in the process that measures it.

Each walk is ``walk(url, size, at_once)``: it opens what it needs, looks at every message, and returns how many it saw.
"""
