"""Alerts: which gaps are news, one message a run about them, and its way out, over HTTPS and by mail.

Knows httpx, smtplib and one SQLite file. What a gap is, and when it opens, is decided in `audit.gaps`.
"""
