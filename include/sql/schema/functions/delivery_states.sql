create function risk.delivery_states(
    of_session date,
    as_of timestamptz,
    active_within integer,
    legacy_suffix text
)
returns table (
    account_id text,
    state text,
    is_expected boolean,
    is_new boolean,
    delivery_id bigint,
    published_at timestamptz,
    row_count bigint,
    loaded_count bigint,
    rejected_count bigint
)
language sql
stable
parallel safe
as $$
    with target_session as (
        select
            sessions.session_number,
            sessions.closes_at
        from risk.sessions
        where sessions.session_date = delivery_states.of_session
    ),

    recent_sessions as (
        select sessions.session_date
        from risk.sessions
        inner join target_session
            on sessions.session_number >= target_session.session_number - delivery_states.active_within
            and sessions.session_number < target_session.session_number
    ),

    recent as (
        select distinct earlier.account_id
        from risk.current_deliveries(delivery_states.as_of) as earlier
        where
            earlier.session_date >= (select min(recent_sessions.session_date) from recent_sessions)
            and earlier.session_date < delivery_states.of_session
            and earlier.loaded_count > 0
    ),

    stated as (
        select
            facts.account_id,
            facts.is_disabled
        from risk.current_accounts(delivery_states.of_session, delivery_states.as_of) as facts
    ),

    candidates as (
        select
            recent.account_id,
            coalesce(stated.is_disabled, false) as is_disabled
        from recent
        left join stated on recent.account_id = stated.account_id
        where right(recent.account_id, length(delivery_states.legacy_suffix)) <> delivery_states.legacy_suffix
    ),

    withdrawn as (
        select distinct withdrawn_ones.account_id
        from risk.withdrawn_deliveries(delivery_states.as_of) as withdrawn_ones
        where withdrawn_ones.session_date = delivery_states.of_session
    ),

    arrived as (
        select
            current_ones.account_id,
            max(current_ones.delivery_id) as delivery_id,
            sum(current_ones.row_count)::bigint as row_count,
            sum(current_ones.loaded_count)::bigint as loaded_count,
            sum(current_ones.rejected_count)::bigint as rejected_count,
            min(coalesce(current_ones.published_at, current_ones.recorded_at)) as published_at
        from risk.current_deliveries(delivery_states.as_of) as current_ones
        where current_ones.session_date = delivery_states.of_session
        group by current_ones.account_id
    )

    select
        coalesce(arrived.account_id, candidates.account_id, withdrawn.account_id) as account_id,
        case
            when arrived.row_count > 0 then 'delivered'
            when coalesce(stated.is_disabled, candidates.is_disabled) then 'account disabled'
            when arrived.account_id is null and withdrawn.account_id is not null then 'withdrawn'
            when arrived.published_at < target_session.closes_at + interval '24 hours' then 'not posted'
            when arrived.account_id is not null then 'no trades'
            when exists (select from arrived as others) then 'missing'
            else 'feed broken'
        end as state,
        candidates.account_id is not null and not candidates.is_disabled as is_expected,
        coalesce(arrived.loaded_count > 0, false)
        and stated.account_id is null
        and recent.account_id is null
        and exists (select from recent as others) as is_new,
        arrived.delivery_id,
        arrived.published_at,
        coalesce(arrived.row_count, 0) as row_count,
        coalesce(arrived.loaded_count, 0) as loaded_count,
        coalesce(arrived.rejected_count, 0) as rejected_count
    from candidates
    full outer join arrived on candidates.account_id = arrived.account_id
    full outer join withdrawn on coalesce(arrived.account_id, candidates.account_id) = withdrawn.account_id
    left join recent on arrived.account_id = recent.account_id
    left join stated on arrived.account_id = stated.account_id
    cross join target_session
    order by account_id
$$;

comment on function risk.delivery_states(date, timestamptz, integer, text) is
'What arrived for one session from each account that is expected or delivered, as known at an instant. state: '
'delivered (rows came), account disabled (none came and the account is stated as disabled), no trades (empty, '
'published at or after the close + 24 h), not posted (empty, published earlier), withdrawn (a person has withdrawn '
'what came), missing (nothing came, but others did), feed broken (nothing for anybody). Expected: had fills within '
'the last active_within sessions before, is not disabled, and its name does not end in legacy_suffix. New: '
'delivered, not stated, and without fills within those sessions, in which others had some. Grain: one row per '
'account.';
