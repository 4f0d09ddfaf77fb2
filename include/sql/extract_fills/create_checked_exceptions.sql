-- Finds the records that are no plain fills, nearly always few, for the statements that are about them alone.
-- Grain: one entry per such record. Reads: checked_fills. Writes: -. Binds: -. Money: -.
-- Rerun: gone with its transaction.
create index checked_exceptions on staging.checked_fills (file_number)
where codes is not null or correction_kind is not null or account_id is null or session_date is null;
