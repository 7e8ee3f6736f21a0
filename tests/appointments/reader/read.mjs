// Reads an iCalendar file with Mozilla's ical.js and tells what it found.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(process.argv[2], "utf8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid,
    sequence: event.sequence,
    summary: event.summary,
    location: event.location,
    description: event.description,
    status: component.getFirstPropertyValue("status"),
    zone: event.startDate.zone.tzid,
    isDate: event.startDate.isDate,
    startsAt: event.startDate.toJSDate().toISOString(),
    endsAt: event.endDate ? event.endDate.toJSDate().toISOString() : null,
    names: component.getAllProperties().map((one) => one.name),
  };
});
console.log(JSON.stringify({
  name: calendar.getFirstPropertyValue("x-wr-calname"),
  zones: calendar.getAllSubcomponents("vtimezone").map((one) => one.getFirstPropertyValue("tzid")),
  events,
}));
