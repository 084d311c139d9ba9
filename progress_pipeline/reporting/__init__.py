"""The report: one HTML page for people who look, written from the published file alone.

It has no script, asks nothing of a network, and treats every name as hostile: the template escapes, and what becomes
part of a chart is cleaned first. Queries stand in `reading.py`, charts in `charts.py`, the page in `page.html.jinja`.
"""
