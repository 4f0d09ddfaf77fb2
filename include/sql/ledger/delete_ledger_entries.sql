-- Removes entries about recommendations that do not count (any more).
-- Grain: one row per entry. Reads: counted_runs, recommendations. Writes: ledger_entries. Binds: known_until. Money: -.
-- Rerun: removes nothing more.
delete from ledger_entries
where
    not exists (
        select from counted_runs(%(known_until)s) as counted
        inner join recommendations on counted.run_id = recommendations.run_id
        where
            counted.run_id = ledger_entries.run_id
            and recommendations.account_id = ledger_entries.account_id
            and recommendations.base_limit_usd = ledger_entries.base_limit_usd
            and recommendations.new_limit_usd = ledger_entries.limit_usd
    );
