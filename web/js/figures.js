/** Numbers of the operators' pages in the reader's way: digits, units, ages. */

import { speech, t } from "./i18n.js";

/** A number with at most so many decimals. */
export function number(value, decimals = 0) {
  return new Intl.NumberFormat(speech.locale, { maximumFractionDigits: decimals }).format(value);
}

/** Three significant digits at most: 0.42, 7.3, 118. */
export function short(value) {
  return number(value, value < 10 ? 1 : 0);
}

/** A share of 1 as per cent. */
export function share(value) {
  return new Intl.NumberFormat(speech.locale, { style: "percent", maximumFractionDigits: value < 0.1 ? 1 : 0 }).format(value);
}

/** Milliseconds. */
export function milliseconds(value) {
  return t("unit.ms", { value: short(value) });
}

/** Megabytes, from 1024 on gigabytes. */
export function memory(megabytes) {
  return megabytes < 1024
    ? t("unit.mb", { value: number(megabytes) })
    : t("unit.gb", { value: number(megabytes / 1024, 1) });
}

/** A span of seconds in its largest two units. */
export function age(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("unit.s", { value: whole });
  if (whole < 3600) return t("unit.min", { value: Math.floor(whole / 60) });
  if (whole >= 2 * 86_400) return t("unit.d", { days: Math.floor(whole / 86_400), hours: Math.floor((whole % 86_400) / 3600) });
  return t("unit.h", { hours: Math.floor(whole / 3600), minutes: Math.floor((whole % 3600) / 60) });
}
