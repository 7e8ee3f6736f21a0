"""Sổ Khỏe: the backend of a citizen's electronic health book.

        FRONT DOOR main.py    BACK DOOR worker.py, sealer.py    SERVICE DOOR cli.py, commands (`sokhoe`)
                    |                               |
 app, doctor ─ /graphql ─▶ gateway  what is asked, may it be asked, what does it cost
 hospitals ─── /ingest ──▶    |        ┌──────────── a room may only look down ────────────┐
               /auth ────▶    |        │  ingestion         what hospitals send            │
 calendar ─── /calendar ─▶    |        │  notifications     what people are told           │
 anybody ───── /audit ───▶    |        │  records           the health book                │
                              |        │  appointments      care to come                   │
                              |        │  sharing           the only key to a health book  │
                              |        │  identity          who is asking                  │
                              |        │  facilities        where care happens             │
                              |        │  terminology       what the codes mean            │
                              |        │  audit             who looked, and the proof      │
                              |        │  compiler          an operation becomes one SQL   │
                              |        │  core              nouns that everyone needs      │
                              |        └───────────────────────────────────────────────────┘

`demo` (made-up people) and `connector` (a hospital's client) stand above all rooms: nothing looks up to them.
Inside a room: faces (graph, http) → mapping → rules → sql → tables → words. Nothing flows back up.
"""
