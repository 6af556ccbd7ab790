"use strict";
// The dashboard reads the daemon's own interface and draws it. Its script is the files of this directory, one after the other
// as dashboard.c names them. Everything that comes from outside is put into the page as text.

// ---- quantities for people
const UNKNOWN = "–";

function scaled(value, unit) {
  if (!(value >= 1)) return "0 " + unit;
  let prefix = "";
  for (const next of ["k", "M", "G", "T", "P"]) {
    if (value < 999.5) break;
    value /= 1000;
    prefix = next;
  }
  const digits = prefix === "" ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(digits) + " " + prefix + unit;
}
const bytes = (n) => scaled(n, "B");
const rate = (bytesPerSecond) => scaled(bytesPerSecond * 8, "bit/s");

function rtt(us) {
  if (us == null) return UNKNOWN;
  if (us < 9995) return (us / 1000).toFixed(2) + " ms";
  if (us < 1e6) return (us / 1000).toFixed(us < 99950 ? 1 : 0) + " ms";
  return (us / 1e6).toFixed(2) + " s";
}

// At an axis, where all values are round: 60 Mbit/s, not 60.0.
const short = (text) => text.replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "");

function age(seconds) {
  const s = Math.floor(seconds);
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min " + s % 60 + " s";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor(s / 60) % 60 + " min";
  return Math.floor(s / 86400) + " d " + Math.floor(s / 3600) % 24 + " h";
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
const count = (n, noun) => n + " " + noun + (n === 1 ? "" : "s");
