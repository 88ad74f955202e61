import { describe, expect, it } from '@jest/globals';
import { Calendar, DateFormat, dateOfDay, dayOfDate } from './calendar.js';

const berlin = new Calendar('Europe/Berlin');

describe('a date as a file writes it', () => {
  it.each<[string, string, string | undefined]>([
    ['YYYY-MM-DD', '2026-01-31', '2026-01-31'],
    ['YYYY-MM-DD', '2026-02-29', undefined],
    ['YYYY-MM-DD', '2028-02-29', '2028-02-29'],
    ['YYYY-MM-DD', '2026-13-01', undefined],
    ['YYYY-MM-DD', '31.01.2026', undefined],
    ['DD.MM.YYYY', '31.01.2026', '2026-01-31'],
    ['DD.MM.YYYY', '31-01-2026', undefined],
    ['MM/DD/YYYY', '01/31/2026', '2026-01-31'],
    ['YYYYMMDD', '20260131', '2026-01-31'],
    ['DD.MM.YYYY HH:mm', '31.01.2026 23:59', '2026-01-31'],
    ['DD.MM.YYYY HH:mm', '31.01.2026 24:00', undefined],
    ['iso', '2026-01-31T22:59:59Z', '2026-01-31'],
    ['iso', '2026-01-31T23:00:00Z', '2026-02-01'],
    ['iso', '2026-01-31T23:30:00+02:00', '2026-01-31'],
    ['iso', '2026-01-31', '2026-01-31'],
    ['iso', '2026-01-31T23:30:00', undefined],
    ['iso', 'yesterday', undefined],
  ])('of the format %s: %s is %s', (format, text, expected) => {
    const day = DateFormat.parse(format)?.dayOf(text, berlin);
    expect(day === undefined ? undefined : dateOfDay(day)).toBe(expected);
  });

  it.each(['', 'YYYY-MM', 'DD DD MM YYYY', 'YY-MM-DD'])('is not described by %j', (format) => {
    expect(DateFormat.parse(format)).toBeUndefined();
  });
});

describe('a calendar', () => {
  it.each([
    ['Pacific/Kiritimati', '2026-01-31T10:00:00.000000Z', '2026-02-01'],
    ['Pacific/Pago_Pago', '2026-02-01T10:59:59.999999Z', '2026-01-31'],
    ['UTC', '2026-01-31T23:59:59.999999Z', '2026-01-31'],
  ])('of %s has %s on %s', (zone, time, expected) => {
    expect(new Calendar(zone).dayOfInstant(time)).toBe(dayOfDate(expected));
  });
});
