-- Judges every distinct Date/Time once: its instant, its session, or what is wrong with it.
-- Grain: one row per distinct text. Reads: staged_fills, sessions. Writes: staged_moments. Binds: today. Money: -.
-- Rerun: gone with its transaction.
-- The wall clock is New York's. An hour that does not exist (clocks go forward) or exists twice (they go back) names no
-- instant; both lie on Sunday nights, when no session trades, so such a row is rejected instead of guessed.
create unlogged table staging.staged_moments as
with texts as (
    select distinct staged_fills.date_time
    from staged_fills
    where staged_fills.date_time is not null
),

formed as (
    select
        texts.date_time,
        case
            when
                texts.date_time ~ '^[0-9]{2}/[0-9]{2}/[0-9]{4} ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$'
                and pg_input_is_valid(texts.date_time, 'timestamp')
                then texts.date_time::timestamp
        end as wall_time
    from texts
),

placed as (
    select
        formed.date_time,
        formed.wall_time,
        formed.wall_time at time zone 'America/New_York' as executed_at
    from formed
),

days as (
    select
        listed.day,
        (
            select min(sessions.session_date)
            from risk.sessions
            where sessions.session_date >= listed.day
        ) as session_date
    from (select distinct placed.wall_time::date as day from placed where placed.wall_time is not null) as listed
),

judged as (
    select
        placed.date_time,
        placed.executed_at,
        days.session_date,
        placed.wall_time::time = time '00:00' as is_time_unknown,
        case
            when placed.wall_time is null then 'date_form'
            when placed.wall_time::date > %(today)s then 'date_future'
            when placed.wall_time::date < (select min(sessions.session_date) from risk.sessions) then 'date_past'
            when placed.executed_at at time zone 'America/New_York' <> placed.wall_time then 'date_gap'
            when
                (placed.executed_at - interval '1 hour') at time zone 'America/New_York' = placed.wall_time
                or (placed.executed_at + interval '1 hour') at time zone 'America/New_York' = placed.wall_time
                then 'date_twice'
        end as code
    from placed
    left join days on placed.wall_time::date = days.day
)

select
    judged.date_time,
    judged.executed_at,
    judged.is_time_unknown,
    judged.code,
    case when judged.code is null then judged.session_date end as session_date
from judged;
