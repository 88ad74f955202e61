/** Mistakes that an implementation of this design could make. Each must be found. */
export const BUGS = [
  'release_on_a_timer',
  'repair_beside_the_steps',
  'offset_before_commit',
  'cursor_skips_late_rows',
  'deletion_by_range',
  'deletion_before_publishing',
  'no_decision_check',
  'key_apart_from_its_transfer',
  'duplicate_key_ignored',
  'acknowledged_before_commit',
  'retry_under_a_new_key',
  'projector_without_version_guard',
  'voided_event_lost',
  'decision_deleted_and_hold_replayed',
  'hold_without_a_look_at_the_balance',
  'rows_read_without_locks',
  'chain_onto_another_shard',
  'stale_epoch_accepted',
  'retry_that_is_not_idempotent',
  'fingerprint_ignored',
] as const;

export type Bug = (typeof BUGS)[number];
