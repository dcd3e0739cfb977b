"""Vim's keys over any page of text: they know no widget.

page      what is edited, and the words for places in it
motions   where a motion leads
objects   what a text object covers
edits     operators, registers and puts
keys      modes, counts, dot and undo
"""

from .keys import Vim
from .page import Page, Place

__all__ = ["Page", "Place", "Vim"]
