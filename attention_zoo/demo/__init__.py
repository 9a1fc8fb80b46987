"""The page of `attention-zoo demo`: a served model, seen from a browser.

Only `attention_zoo.demo.app` imports Gradio, and nothing here TensorFlow.
"""
