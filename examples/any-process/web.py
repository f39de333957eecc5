#!/usr/bin/python3
"""A web server that remembers in memory alone how often it was asked.

    web.py PORT
"""
import http.server
import os
import sys

visits = 0


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global visits
        visits += 1
        text = f"visit {visits} at process {os.getpid()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_words):
        """No log."""


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
