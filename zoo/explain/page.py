"""Explanations as one HTML file that needs no other."""

from zoo.explain.html_table import DARK, LIGHT, TABLE_STYLE, escaped, html_table

COLOURS = f"""
:root {{ color-scheme: light dark; {LIGHT}; --paper: #fff; --text: #1c1917; --faint: #78716c }}
@media (prefers-color-scheme: dark) {{
  :root {{ {DARK}; --paper: #1c1917; --text: #f5f5f4; --faint: #a8a29e }} }}
"""
STYLE = """
body { font: 16px/1.5 system-ui, "Noto Sans CJK KR", sans-serif; margin: 0 auto; max-width: 68rem;
  padding: 2rem 1.25rem; color: var(--text); background: var(--paper) }
section { margin: 3rem 0 }
h2 { font-weight: 600; margin: 0 0 1.25rem; overflow-wrap: anywhere }
small, p { color: var(--faint); font-weight: 400 }
h2 small { display: block; font-size: .85rem }
.warning { color: inherit; border-left: 3px solid rgb(var(--accent)); padding-left: 1rem;
  overflow-wrap: anywhere }
.views { display: flex; flex-wrap: wrap; gap: 2.5rem }
"""
HINT = "Each row is a token of the translation: point at it, and its row is lit. Full ink is 1."


def page(explanations):
    """A page of tables, which light a row under the pointer and load nothing.

    Args:
        explanations: list of `Explanation`.

    Returns:
        The HTML, a string.
    """
    sections = "".join(map(_section, explanations))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Alignments</title>\n<style>{COLOURS}{STYLE}{TABLE_STYLE}</style>\n"
        f"</head>\n<body>\n<p>{HINT}</p>\n{sections}</body>\n</html>\n"
    )


def _section(explanation):
    said = explanation.views[0]
    title = (
        f"<small>{escaped(explanation.asked)}</small> {escaped(said.text)} "
        f"<small>log-probability {said.score:z.4f}</small>"
    )
    warnings = "".join(
        f'<p class="warning">Warning: {escaped(warning)}.</p>\n' for warning in explanation.warnings
    )
    tables = "".join(map(html_table, explanation.views))
    return (
        f'<section>\n<h2>{title}</h2>\n{warnings}<div class="views">\n{tables}</div>\n</section>\n'
    )
