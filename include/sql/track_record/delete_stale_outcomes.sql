-- Removes outcomes of recommendations that do not count (any more), or no longer for that account.
-- Reads: counted_recommendations. Writes: ledger_entries. Binds: known_until. Rerun: removes nothing more.
delete from ledger_entries
where
    not exists (
        select from counted_recommendations(%(known_until)s) as counted
        where
            counted.run_id = ledger_entries.run_id
            and counted.account_id = ledger_entries.account_id
            and counted.base_limit_usd = ledger_entries.base_limit_usd
            and counted.limit_usd = ledger_entries.limit_usd
    );
