-- Removes outcomes of recommendations that do not count (any more), or no longer for that account.
-- Reads: scored_recommendations. Writes: cut_outcomes. Binds: as_of. Rerun: removes nothing more.
delete from derived.cut_outcomes
where
    not exists (
        select from risk.scored_recommendations(%(as_of)s) as counted
        where
            counted.run_id = cut_outcomes.run_id
            and counted.account_id = cut_outcomes.account_id
            and counted.base_limit_usd = cut_outcomes.base_limit_usd
            and counted.limit_usd = cut_outcomes.limit_usd
    );
