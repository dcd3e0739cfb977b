"""Our own themes: two quiet ones and two of high contrast. Textual's own themes work as well.

Panes use the theme's variables only (`$text-muted`, `$text-primary`, `$mode-plan` …), never a literal colour.
"""

from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

DARK = Theme(
    name="rein-dark",
    primary="#6fb8a8",
    secondary="#8ea3c2",
    accent="#d9b06c",
    warning="#d9a75a",
    error="#e5707a",
    success="#86b87a",
    foreground="#d3d7de",
    background="#0f1215",
    surface="#14181c",
    panel="#1c2127",
    dark=True,
    variables={
        "text-muted": "#9aa3ae",
        "text-disabled": "#808994",
        "border": "#33595a",
        "border-blurred": "#262c33",
        "block-cursor-background": "#22403f",
        "block-cursor-foreground": "#eaf4f2",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#1d242a",
        "block-cursor-blurred-foreground": "#d3d7de",
        "input-selection-background": "#2b4c55",
        "scrollbar": "#2a3138",
        "scrollbar-hover": "#3a444d",
        "scrollbar-active": "#4f8479",
        "scrollbar-background": "#0f1215",
        "scrollbar-background-hover": "#0f1215",
        "scrollbar-background-active": "#0f1215",
        "scrollbar-corner-color": "#0f1215",
    },
)

LIGHT = Theme(
    name="rein-light",
    primary="#1a6a5c",
    secondary="#48607f",
    accent="#8a5a00",
    warning="#935f00",
    error="#b3261e",
    success="#2c7440",
    foreground="#22272e",
    background="#fbfaf7",
    surface="#f5f3ee",
    panel="#eae7e0",
    dark=False,
    variables={
        "text-muted": "#58606a",
        "text-disabled": "#70767a",
        "border": "#8fb8af",
        "border-blurred": "#dcd8cf",
        "block-cursor-background": "#d3e6e1",
        "block-cursor-foreground": "#10241f",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#eae7e0",
        "block-cursor-blurred-foreground": "#22272e",
        "input-selection-background": "#bcd9e6",
        "scrollbar": "#d5d0c5",
        "scrollbar-hover": "#bdb7aa",
        "scrollbar-active": "#1a6a5c",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "scrollbar-corner-color": "#fbfaf7",
    },
)

CONTRAST_DARK = Theme(
    name="rein-contrast-dark",
    primary="#5ff0d0",
    secondary="#9fd0ff",
    accent="#ffd75f",
    warning="#ffbf3f",
    error="#ff8080",
    success="#7dff7d",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    dark=True,
    text_alpha=1.0,
    variables={
        "border": "#ffffff",
        "border-blurred": "#8a8a8a",
        "block-cursor-background": "#004a66",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#444444",
        "block-cursor-blurred-foreground": "#ffffff",
        "text-muted": "#cfcfcf",
        "text-disabled": "#b0b0b0",
    },
)

CONTRAST_LIGHT = Theme(
    name="rein-contrast-light",
    primary="#004f41",
    secondary="#00337a",
    accent="#5f3a00",
    warning="#6b3f00",
    error="#9b0000",
    success="#00500f",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#ececec",
    dark=False,
    text_alpha=1.0,
    variables={
        "border": "#000000",
        "border-blurred": "#5a5a5a",
        "block-cursor-background": "#b3dcff",
        "block-cursor-foreground": "#000000",
        "block-cursor-blurred-background": "#cccccc",
        "block-cursor-blurred-foreground": "#000000",
        "text-muted": "#333333",
        "text-disabled": "#555555",
    },
)

_REVERSED = {
    "block-cursor-background": "ansi_bright_white",
    "block-cursor-foreground": "ansi_default",
    "block-cursor-text-style": "none",
    "block-cursor-blurred-background": "ansi_default",
    "block-cursor-blurred-foreground": "ansi_default",
    "block-cursor-blurred-text-style": "bold",
    "border": "ansi_cyan",
    "border-blurred": "ansi_bright_black",
    "scrollbar": "ansi_bright_black",
    "scrollbar-hover": "ansi_cyan",
    "scrollbar-active": "ansi_cyan",
    "scrollbar-background": "ansi_default",
    "scrollbar-background-hover": "ansi_default",
    "scrollbar-background-active": "ansi_default",
    "scrollbar-corner-color": "ansi_default",
}
"""What stands on bright white is a row that is marked: it is reversed (`ink`), so that it can be read whatever the
terminal's colours are."""

TERMINAL_THEMES = tuple(
    replace(theme, variables={**theme.variables, **_REVERSED})
    for theme in (BUILTIN_THEMES["ansi-dark"], BUILTIN_THEMES["ansi-light"])
)
"""Textual's two in the terminal's own colours, in place of them."""

THEMES = (DARK, LIGHT, CONTRAST_DARK, CONTRAST_LIGHT)
"""Registered by the app at start; the first is the default."""
