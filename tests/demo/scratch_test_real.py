import asyncio, collections
from datetime import date
import httpx
from app.demo.messages import year_messages
from app.demo.people import citizens, FACILITIES
def test_real(http, server, stand):
    tok={f.code: stand.facility(f.code) for f in FACILITIES}
    c=collections.Counter()
    for m in year_messages(citizens(8), today=date(2026,11,22)):
        a=http.post('/ingest/qd4750', content=m.body, headers={'Authorization':f'Bearer {tok[m.facility_code]}','Content-Type':'application/xml'})
        assert a.status_code==202, a.text
        s=stand.process(a.json()['messageId']); c[s]+=1
        if s!='filed':
            print(http.get(f"/ingest/messages/{a.json()['messageId']}", headers={'Authorization':f'Bearer {tok[m.facility_code]}'}).text[:500])
    print(c)
