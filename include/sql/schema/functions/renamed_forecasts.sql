create function risk.renamed_forecasts(as_of timestamptz)
returns table (
    former_account_id text,
    starts_after date,
    ends_on date,
    account_id text
)
language sql
stable
parallel safe
rows 1
as $$
    select
        renamed.former_account_id,
        case
            when renamed.starts_at = '-infinity' then renamed.starts_at
            else coalesce(
                (
                    select min(sessions.session_date)
                    from risk.sessions
                    where sessions.session_date >= renamed.starts_at
                ),
                'infinity'
            )
        end as starts_after,
        coalesce(
            (
                select min(sessions.session_date)
                from risk.sessions
                where sessions.session_date >= renamed.ends_before
            ),
            'infinity'
        ) as ends_on,
        renamed.account_id
    from risk.renamed_accounts(renamed_forecasts.as_of) as renamed
$$;

comment on function risk.renamed_forecasts(timestamptz) is
'Present name of the account that a forecast was issued for, where accounts were renamed or merged, as known at an '
'instant: effective sessions after starts_after, through ends_on. A forecast belongs to whoever held the account in '
'the session after which it was issued, so that the one issued on the evening before a rename follows the person. '
'Grain: as renamed_accounts.';
