-- Removes what past recommendations were worth in sessions that are computed again; apply_rules finds it anew.
-- Grain: one row per account given. Reads: -. Writes: cut_outcomes. Money: -.
-- Binds: through_session_date, account_ids, first_session_dates (arrays of equal length). Rerun: removes nothing more.
delete from derived.cut_outcomes
using unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
where
    cut_outcomes.account_id = listed.account_id
    and cut_outcomes.effective_session between listed.first_session_date and %(through_session_date)s;
