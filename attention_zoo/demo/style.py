"""How the page looks, over Gradio's own style."""

from zoo.explain.html_table import DARK, LIGHT, TABLE_STYLE

STYLE = f"""
.gradio-container {{ {LIGHT}; --faint: #78716c; box-sizing: border-box; width: 100% !important;
  max-width: 68rem !important; margin: 0 auto !important; padding: 2.5rem 1.25rem 4rem !important }}
.dark .gradio-container {{ {DARK}; --faint: #a8a29e }}
.gradio-container .main, .gradio-container .wrap, main.contain {{ min-width: 0; max-width: 100% }}
.gradio-container > .main {{ padding: 0 !important }}
.gradio-container .html-container {{ padding: 0 !important }}
{TABLE_STYLE}
.answer, .notice {{ color: var(--body-text-color); font-size: 1rem }}
.answer table, .answer tr, .answer th, .answer td {{ border: 0 !important; background: none }}
.answer .alignment :is(figcaption, th) {{ color: inherit; font-size: 1rem }}
.answer .alignment td {{ border: 1px solid rgb(var(--grid)) !important;
  background: rgb(var(--ink) / var(--weight)) }}
.answer .alignment tbody tr:is(:hover, :focus-within) th {{ color: rgb(var(--accent)) }}
.answer .said {{ font-size: 1.75rem; line-height: 1.35; font-weight: 600; margin: 1.5rem 0;
  overflow-wrap: anywhere; color: inherit }}
.answer .best {{ width: 100%; border-collapse: collapse; margin: 0 0 2.5rem }}
.answer .best th {{ font-weight: 400; font-size: .85rem; color: var(--faint) }}
.answer .best :is(th, td) {{ text-align: right; padding: .5rem 0 .5rem 1rem; white-space: nowrap;
  font-variant-numeric: tabular-nums; border-bottom: 1px solid rgb(var(--grid)) !important }}
.answer .best :is(th, td):first-child {{ width: 100%; text-align: left; padding-left: 0;
  white-space: normal; overflow-wrap: anywhere }}
.answer .bar {{ display: block; height: 3px; margin-top: .35rem; border-radius: 2px;
  background: rgb(var(--accent)) }}
.answer .views {{ display: flex; flex-wrap: wrap; gap: 2.5rem }}
.answer .faint {{ font-size: .85rem; max-width: 44rem; margin: 1.5rem 0 0; color: var(--faint) }}
.notice {{ border-left: 3px solid rgb(var(--accent)); padding: .25rem 0 .25rem 1rem;
  margin: 1rem 0 1.5rem; overflow-wrap: anywhere }}
@media (max-width: 40rem) {{
  #ask {{ flex-direction: column }}
  .answer .said {{ font-size: 1.4rem }} }}
"""
