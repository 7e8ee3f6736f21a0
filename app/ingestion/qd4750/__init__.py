"""The output-data XML of Vietnamese hospitals (Decision 4750/QD-BYT, with 3176/QD-BYT) becomes arrivals.

Pure: bytes in, words out; no database, settings, network or clock.

envelope  -> reading -> visit -> person, drugs, performed, results     who reads what
                        visit -> papers -> vital_signs; reading -> births
content, lines                                                         documents and their lines
fields (fields.json), values, message                                  facts and words
plausibility                                                           judged when `now` is known
"""

from app.ingestion.qd4750.envelope import read_message
from app.ingestion.qd4750.message import Message, VisitReading
from app.ingestion.qd4750.plausibility import plausibility

__all__ = ["Message", "VisitReading", "plausibility", "read_message"]
