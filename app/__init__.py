"""Sổ Khỏe: the backend of a citizen's electronic health book.

             FRONT DOOR main.py              BACK DOOR worker.py          SERVICE DOOR cli.py (`sokhoe`)
                    |                               |
 app, doctor ─ /graphql ─▶ gateway  what is asked, may it be asked, what does it cost
 hospitals ─── /ingest ──▶    |        ┌──────────── a room may only look down ────────────┐
               /auth ────▶    |        │  ingestion         what hospitals send            │
                              |        │  records           the health book                │
                              |        │  appointments      care to come                   │
                              |        │  sharing           the only key to a health book  │
                              |        │  identity          who is asking                  │
                              |        │  facilities        where care happens             │
                              |        │  terminology       what the codes mean            │
                              |        │  compiler          an operation becomes one SQL   │
                              |        │  core              nouns that everyone needs      │
                              |        └───────────────────────────────────────────────────┘

Inside a room: faces (graph, http) → mapping → rules → sql → tables → words. Nothing flows back up.
"""
