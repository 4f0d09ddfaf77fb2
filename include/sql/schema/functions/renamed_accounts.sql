-- Not plain SQL, so that the planner does not inline it: it nearly always has no row, and a plan with its parts in
-- every statement that reads deliveries is slow to make and wrong.
create function risk.renamed_accounts(as_of timestamptz)
returns table (
    former_account_id text,
    starts_at date,
    ends_before date,
    account_id text
)
language plpgsql
stable
parallel safe
rows 1
as $$
#variable_conflict use_column
begin
    return query
    with recursive renames as (
        select distinct on (accounts.former_account_id, accounts.valid_from)
            accounts.former_account_id,
            accounts.account_id,
            case
                when accounts.valid_from = (select min(sessions.session_date) from risk.sessions) then 'infinity'::date
                else accounts.valid_from
            end as ends_before
        from risk.accounts
        where
            accounts.former_account_id is not null
            and accounts.recorded_at <= renamed_accounts.as_of
        order by
            accounts.former_account_id asc,
            accounts.valid_from asc,
            accounts.recorded_at desc,
            accounts.statement_id desc
    ),

    ranged as (
        select
            renames.former_account_id,
            renames.account_id,
            renames.ends_before,
            coalesce(
                lag(renames.ends_before) over (partition by renames.former_account_id order by renames.ends_before),
                '-infinity'::date
            ) as starts_at
        from renames
    ),

    bounds as (
        select ranged.starts_at as bound
        from ranged
        union
        select ranged.ends_before as bound
        from ranged
    ),

    pieces as (
        select
            bounds.bound as starts_at,
            lead(bounds.bound) over (order by bounds.bound) as ends_before
        from bounds
    ),

    followed as (
        select
            ranged.former_account_id,
            pieces.starts_at,
            pieces.ends_before,
            ranged.account_id,
            1 as step
        from pieces
        inner join ranged
            on
                pieces.starts_at >= ranged.starts_at
                and pieces.ends_before <= ranged.ends_before
        union all
        select
            followed.former_account_id,
            followed.starts_at,
            followed.ends_before,
            ranged.account_id,
            followed.step + 1 as step
        from followed
        inner join ranged
            on
                followed.account_id = ranged.former_account_id
                and followed.starts_at >= ranged.starts_at
                and followed.ends_before <= ranged.ends_before
        where followed.step < 10
    )

    select distinct on (followed.former_account_id, followed.starts_at)
        followed.former_account_id,
        followed.starts_at,
        followed.ends_before,
        followed.account_id
    from followed
    order by
        followed.former_account_id asc,
        followed.starts_at asc,
        followed.step desc;
end
$$;

comment on function risk.renamed_accounts(timestamptz) is
'Present name of an account for a range of its sessions, where accounts were renamed or merged, as known at an '
'instant: sessions from starts_at on, before ends_before. A statement that an account was formerly another '
'takes that one''s sessions before its day; one of the calendar''s first session, for which no day was given, '
'takes all of them. Chains are followed to their end; of several statements about one former account and day '
'the last recorded counts. Grain: one row per former account and range; ranges of one account do not overlap.';
