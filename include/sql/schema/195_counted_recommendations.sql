-- The one definition of which recommendations count in the ledger, and of whom, as known at an instant.
-- Grain: one row per account and effective session that a report was made for.
-- Reads: counted_runs, runs, recommendations, renamed_accounts. Writes: -. Binds: -. Rerun: applied once.
-- Money: US dollars.
-- What was recommended for an account under a former name was recommended for the person, whose books are under the new
-- one; what was for several accounts that are one since then counts in sum.
create function counted_recommendations(known_until timestamptz)
returns table (
    account_id text,
    effective_session date,
    run_id bigint,
    told_at timestamptz,
    is_live boolean,
    base_limit_usd numeric,
    cut_ratio numeric,
    limit_usd numeric
)
language sql
stable
parallel safe
as $$
    select
        coalesce(renamed.account_id, recommendations.account_id) as account_id,
        counted.effective_session,
        counted.run_id,
        counted.told_at,
        counted.is_live,
        sum(recommendations.base_limit_usd) as base_limit_usd,
        case
            when count(*) = 1 then max(recommendations.cut_ratio)
            else round(
                sum(recommendations.base_limit_usd * recommendations.cut_ratio) / sum(recommendations.base_limit_usd),
                2
            )
        end as cut_ratio,
        sum(recommendations.new_limit_usd) as limit_usd
    from counted_runs(counted_recommendations.known_until) as counted
    inner join runs on counted.run_id = runs.run_id
    inner join recommendations on counted.run_id = recommendations.run_id
    left join renamed_accounts(counted_recommendations.known_until) as renamed
        on
            recommendations.account_id = renamed.former_account_id
            and runs.session_date >= renamed.starts_at
            and runs.session_date < renamed.ends_before
    group by
        coalesce(renamed.account_id, recommendations.account_id),
        counted.effective_session,
        counted.run_id,
        counted.told_at,
        counted.is_live
$$;
