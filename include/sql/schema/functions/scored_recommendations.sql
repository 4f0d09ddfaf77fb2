create function risk.scored_recommendations(as_of timestamptz)
returns table (
    account_id text,
    effective_session date,
    run_id bigint,
    reported_at timestamptz,
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
        counted.reported_at,
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
    from risk.scored_runs(scored_recommendations.as_of) as counted
    inner join risk.runs on counted.run_id = runs.run_id
    inner join results.recommendations on counted.run_id = recommendations.run_id
    left join risk.renamed_accounts(scored_recommendations.as_of) as renamed
        on
            recommendations.account_id = renamed.former_account_id
            and runs.session_date >= renamed.starts_at
            and runs.session_date < renamed.ends_before
    group by
        coalesce(renamed.account_id, recommendations.account_id),
        counted.effective_session,
        counted.run_id,
        counted.reported_at,
        counted.is_live
$$;

comment on function risk.scored_recommendations(timestamptz) is
'The recommendations that count in the cut track record, and for which account, as known at an instant. A '
'recommendation under a former name counts for the present one; those for several accounts that were merged '
'since are added up. Grain: one row per account and effective session that was reported. US dollars.';
