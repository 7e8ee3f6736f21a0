"""A local identity provider that really speaks OpenID Connect, for the demo and the tests.

It stands for VNeID or the hub of public services: its own process, its own keys, its own people. accounts (who) → desk
(what is under way: pushed requests, codes, tokens, sessions) → answers (the protocol) → pages and app (HTTP). `faults`
holds one switch per misbehaviour. It is no part of production: the app never imports it.
Source: OpenID Connect Core, Discovery and Back-Channel Logout 1.0; RFC 9126, RFC 9207, RFC 7636, RFC 7523.
"""
