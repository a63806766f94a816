// Times as the person who uses the page reads them.

import { me } from "./store.js";

const FORMATS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { year: "numeric", month: "long", day: "numeric", weekday: "long" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

/** Return a time of a message, such as 9:41 AM. */
export function clock(ts) {
  return format(Number(ts), FORMATS.time);
}

/** Return the text of Slack's `<!date^…>`: `template` with its tokens replaced. */
export function slackDate(seconds, template) {
  return template.replace(/\{(\w+)\}/g, (token, name) => {
    if (name === "ago") return `${Math.max(0, Math.round((Date.now() / 1000 - seconds) / 60))} minutes ago`;
    const plain = name.replace("_pretty", "");
    return FORMATS[plain] ? (name.endsWith("_pretty") && nearDay(seconds)) || format(seconds, FORMATS[plain]) : token;
  });
}

/** Return the value of a `datetime-local` field for a time, in this person's time zone. */
export function toLocalField(seconds) {
  return new Date((seconds + me().tz_offset) * 1000).toISOString().slice(0, 16);
}

/** Return the time in a `datetime-local` field, in seconds; null for an empty one. */
export function fromLocalField(text) {
  return text ? Date.parse(`${text}Z`) / 1000 - me().tz_offset : null;
}

function nearDay(seconds) {
  const days = Math.floor((seconds + me().tz_offset) / 86400) - Math.floor((Date.now() / 1000 + me().tz_offset) / 86400);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}

function format(seconds, options) {
  const utc = new Date((seconds + (me()?.tz_offset ?? 0)) * 1000);
  return new Intl.DateTimeFormat("en-US", { ...options, timeZone: "UTC" }).format(utc);
}
