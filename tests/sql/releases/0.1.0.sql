--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: derived; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA derived;


--
-- Name: SCHEMA derived; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA derived IS 'What is computed from the inputs as currently known; can be rebuilt.';


--
-- Name: results; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA results;


--
-- Name: SCHEMA results; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA results IS 'What a run found and recommends; a task replaces the rows of its run.';


--
-- Name: risk; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA risk;


--
-- Name: SCHEMA risk; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA risk IS 'Inputs, decisions of people, runs and reports, and all functions; append only, except for the calendar and mail attempts.';


--
-- Name: applied_corrections(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.applied_corrections(as_of timestamp with time zone) RETURNS TABLE(delivery_id bigint, line_number bigint, correcting_delivery_id bigint, kind text, side text, quantity numeric, symbol text, price numeric, currency text, fees_usd numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
#variable_conflict use_column
begin
    if not exists (select from risk.corrections) then
        return;
    end if;
    return query
    select distinct on (targets.delivery_id, targets.line_number)
        targets.delivery_id,
        targets.line_number,
        targets.correcting_delivery_id,
        corrections.kind,
        corrections.side,
        corrections.quantity,
        corrections.symbol,
        corrections.price,
        corrections.currency,
        corrections.fees_usd
    from risk.correction_targets(applied_corrections.as_of) as targets
    inner join risk.corrections
        on
            targets.correcting_delivery_id = corrections.delivery_id
            and targets.correcting_line_number = corrections.line_number
    where targets.target_count = 1
    order by
        targets.delivery_id asc,
        targets.line_number asc,
        corrections.session_date desc,
        corrections.executed_at desc,
        corrections.tie_rank desc,
        corrections.line_number desc;
end
$$;


--
-- Name: FUNCTION applied_corrections(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.applied_corrections(as_of timestamp with time zone) IS 'The fills that are corrected, and how, as known at an instant, see correction_targets. Of several corrections of a fill the one of the latest session counts, there the latest one, at one instant the last line. A correction whose fill has not come yet has no effect until it comes: nothing depends on the order of arrival. Grain: one row per corrected fill. Units and signs as in corrections.';


--
-- Name: backdate_history(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.backdate_history() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    opened_at timestamptz;
begin
    select loads.recorded_at
    into opened_at
    from risk.loads
    where
        loads.load_id = new.load_id
        and loads.is_history
        and loads.through_session_date >= new.session_date
        and loads.xmin = pg_current_xact_id()::xid;
    if found then
        new.recorded_at := least(new.published_at, opened_at);
    end if;
    return new;
end
$$;


--
-- Name: FUNCTION backdate_history(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.backdate_history() IS 'Lets a row of a history that this transaction imports count from when its source published it. Nothing else backdates: no role but the owner may state when a row was recorded.';


--
-- Name: book_inputs(timestamp with time zone, text[]); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.book_inputs(as_of timestamp with time zone, source_account_ids text[] DEFAULT NULL::text[]) RETURNS TABLE(account_id text, session_date date, input_fingerprint bigint, fill_count bigint, is_incomplete boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    with corrected as (
        select
            parts.delivery_id,
            array_agg(parts.correcting_delivery_id) || parts.delivery_id as delivery_ids,
            sum(parts.fill_count)::bigint as fill_count
        from (
            select
                corrections.delivery_id,
                corrections.delivery_id as correcting_delivery_id,
                -1 as fill_count
            from risk.corrections
            union all
            select
                applied.delivery_id,
                applied.correcting_delivery_id,
                case applied.kind when 'canceled' then -1 else 0 end as fill_count
            from risk.applied_corrections(book_inputs.as_of) as applied
        ) as parts
        group by parts.delivery_id
    ),

    delivered as not materialized (
        select
            current_ones.account_id,
            current_ones.session_date,
            current_ones.delivery_id,
            corrected.delivery_ids,
            current_ones.loaded_count + coalesce(corrected.fill_count, 0) as fill_count,
            current_ones.lost_count > 0 or current_ones.stated_count is not null as is_incomplete
        from risk.current_deliveries(book_inputs.as_of) as current_ones
        left join corrected on current_ones.delivery_id = corrected.delivery_id
        where
            (
                book_inputs.source_account_ids is null
                or current_ones.source_account_id = any(book_inputs.source_account_ids)
            )
            and (
                current_ones.loaded_count > 0
                or current_ones.lost_count > 0
                or current_ones.stated_count is not null
            )
    ),

    collected as (
        select
            delivered.account_id,
            delivered.session_date,
            delivered.delivery_id,
            delivered.delivery_ids,
            delivered.fill_count,
            delivered.is_incomplete
        from delivered
        where
            not exists (
                select
                from risk.renamed_accounts(book_inputs.as_of) as renamed
                where renamed.account_id = delivered.account_id
            )
        union all
        select
            delivered.account_id,
            delivered.session_date,
            min(delivered.delivery_id) as delivery_id,
            array_agg(listed.delivery_id) as delivery_ids,
            sum(delivered.fill_count) filter (where listed.place = 1)::bigint as fill_count,
            bool_or(delivered.is_incomplete) as is_incomplete
        from delivered
        cross join lateral
            unnest(coalesce(delivered.delivery_ids, array[delivered.delivery_id])) with ordinality
                as listed (delivery_id, place)
        where
            exists (
                select
                from risk.renamed_accounts(book_inputs.as_of) as renamed
                where renamed.account_id = delivered.account_id
            )
        group by
            delivered.session_date,
            delivered.account_id
    )

    select
        collected.account_id,
        collected.session_date,
        case
            when collected.delivery_ids is null then collected.delivery_id
            else
                (
                    select
                        case
                            when min(listed.delivery_id) = max(listed.delivery_id) then min(listed.delivery_id)
                            else
                                -1 - (
                                    hashtextextended(
                                        string_agg(
                                            distinct listed.delivery_id::text, ' ' order by listed.delivery_id::text
                                        ),
                                        0
                                    ) & 4611686018427387903
                                )
                        end
                    from unnest(collected.delivery_ids) as listed (delivery_id)
                )
        end as input_fingerprint,
        collected.fill_count,
        collected.is_incomplete
    from collected
$$;


--
-- Name: FUNCTION book_inputs(as_of timestamp with time zone, source_account_ids text[]); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.book_inputs(as_of timestamp with time zone, source_account_ids text[]) IS 'What the books of an account-session are built from, as known at an instant; of all accounts, or of those delivered under some names. input_fingerprint: the delivery with the fills; where others brought corrections, a negative hash of them all. fill_count: fills that count; 0 where all were canceled, only corrections came or every row was rejected. is_incomplete: rows that may be executions are lost. Grain: one row per account and session.';


--
-- Name: booked_adjustments(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.booked_adjustments(as_of timestamp with time zone) RETURNS TABLE(account_id text, session_date date, category text, amount_usd numeric, comment text, load_id bigint, file_name text, line_number bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    with latest as (
        select
            stated.*,
            max(stated.load_id) over (partition by stated.account_id, stated.session_date) as newest_load_id
        from risk.adjustments as stated
        where stated.recorded_at <= booked_adjustments.as_of
    ),

    booked as (
        select
            sides.account_id,
            latest.session_date,
            latest.category,
            sides.amount_usd,
            latest.comment,
            latest.load_id,
            latest.file_name,
            latest.line_number
        from latest
        cross join lateral (
            values (latest.account_id, latest.amount_usd), (latest.offset_account_id, -latest.amount_usd)
        ) as sides (account_id, amount_usd)
        where
            latest.load_id = latest.newest_load_id
            and latest.amount_usd <> 0
            and sides.account_id is not null
    )

    select
        coalesce(renamed.account_id, booked.account_id) as account_id,
        booked.session_date,
        booked.category,
        booked.amount_usd,
        booked.comment,
        booked.load_id,
        booked.file_name,
        booked.line_number
    from booked
    left join risk.renamed_accounts(booked_adjustments.as_of) as renamed
        on
            booked.account_id = renamed.former_account_id
            and booked.session_date >= renamed.starts_at
            and booked.session_date < renamed.ends_before
$$;


--
-- Name: FUNCTION booked_adjustments(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.booked_adjustments(as_of timestamp with time zone) IS 'Adjustments booked to accounts, as known at an instant: each adjustment and its offset. What was booked under a former name counts under the present one. Grain: one row per account and booking. US dollars, positive = credit to account_id; zeros, which withdraw, are dropped.';


--
-- Name: check_history(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.check_history() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    live_session date;
begin
    select min(runs.session_date)
    into live_session
    from risk.runs
    inner join risk.loads on runs.load_id = loads.load_id
    where
        not loads.is_history
        and not runs.is_point_in_time;
    if live_session <= new.through_session_date then
        raise check_violation using message = format(
            'history up to %s: session %s was run live, and what was known since then is on record',
            new.through_session_date,
            live_session
        );
    end if;
    return new;
end
$$;


--
-- Name: FUNCTION check_history(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.check_history() IS 'Refuses the import of a history that reaches a session which was run live.';


--
-- Name: check_limit_decisions(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.check_limit_decisions() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    refusal text;
begin
    with accounts as (
        select
            publications.publication_id,
            reported.account ->> 'account_id' as account_id,
            (reported.account ->> 'base_limit_usd')::numeric as base_limit_usd
        from (select distinct added.publication_id from added) as asked
        inner join risk.publications on asked.publication_id = publications.publication_id
        inner join risk.reports on publications.run_id = reports.run_id
        cross join lateral jsonb_array_elements(reports.facts::jsonb -> 'accounts') as reported (account)
    )

    select
        format('%s of %s in publication %s: %s', added.action, added.account_id, added.publication_id, found.why)
    into refusal
    from added
    inner join risk.publications on added.publication_id = publications.publication_id
    left join accounts
        on
            added.publication_id = accounts.publication_id
            and added.account_id = accounts.account_id
    left join risk.limit_decisions as first_decisions on added.carried_from = first_decisions.decision_id
    left join risk.publications as first_publications
        on first_decisions.publication_id = first_publications.publication_id
    cross join
        lateral (
            select
                case
                    when accounts.account_id is null then 'the report has no recommendation for it'
                    when added.limit_usd > accounts.base_limit_usd then 'the limit is above the base limit'
                    when
                        exists (
                            select 1
                            from risk.published_limits
                            where published_limits.publication_id = added.publication_id
                        )
                        then 'the limits are published already'
                    when
                        added.carried_from is not null
                        and (
                            first_publications.effective_session,
                            first_decisions.account_id,
                            first_decisions.action,
                            first_decisions.limit_usd,
                            first_decisions.user_id,
                            first_decisions.seen_sha256
                        ) is distinct from (
                            publications.effective_session,
                            added.account_id,
                            added.action,
                            added.limit_usd,
                            added.user_id,
                            added.seen_sha256
                        )
                        then 'it does not repeat the decision it names'
                    when
                        exists (
                            select 1
                            from risk.restores
                            where restores.recorded_at > publications.recorded_at
                        )
                        then 'the warehouse was restored after it was asked'
                    when
                        added.carried_from is null
                        and exists (select 1 from risk.restores where restores.recorded_at > added.shown_at)
                        then 'the warehouse was restored after it was shown'
                    when
                        added.carried_from is null
                        and added.user_id <> ''
                        and added.recorded_at >= publications.decision_deadline
                        then 'the deadline has passed'
                    when added.action = 'timed_out' and added.recorded_at < publications.decision_deadline
                        then 'the deadline has not passed'
                end as why
        ) as found
    where found.why is not null
    limit 1;
    if refusal is not null then
        raise check_violation using message = refusal;
    end if;
    return null;
end
$$;


--
-- Name: FUNCTION check_limit_decisions(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.check_limit_decisions() IS 'Refuses decisions about what is not open: an account that the report does not name, a limit above its base limit, a published one, one that was asked or shown before a restore, a person''s after the deadline, a time-out before it, a repetition of another decision.';


--
-- Name: check_limit_sources(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.check_limit_sources() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    refusal text;
begin
    with asked as (
        select distinct
            publications.publication_id,
            publications.effective_session,
            publications.is_live,
            runs.revision,
            runs.is_point_in_time,
            reports.facts::jsonb -> 'accounts' as accounts
        from added
        inner join risk.publications on added.publication_id = publications.publication_id
        inner join risk.runs on publications.run_id = runs.run_id
        inner join risk.reports on publications.run_id = reports.run_id
    ),

    reported as (
        select
            asked.publication_id,
            account.facts ->> 'account_id' as account_id,
            (account.facts ->> 'new_limit_usd')::numeric as recommended_limit_usd
        from asked
        cross join lateral jsonb_array_elements(asked.accounts) as account (facts)
    )

    select
        format('%s of %s in publication %s: %s', added.action, added.account_id, added.publication_id, found.why)
    into refusal
    from added
    inner join asked on added.publication_id = asked.publication_id
    inner join reported
        on
            added.publication_id = reported.publication_id
            and added.account_id = reported.account_id
    left join risk.limit_decisions as first_decisions on added.carried_from = first_decisions.decision_id
    left join risk.publications as first_publications
        on first_decisions.publication_id = first_publications.publication_id
    cross join
        lateral (
            select
                case
                    when
                        added.carried_from is not null
                        and (
                            first_publications.is_live, first_decisions.reason, first_decisions.user_name,
                            first_decisions.shown_at, first_decisions.carried_from
                        ) is distinct from (asked.is_live, added.reason, added.user_name, added.shown_at, null)
                        then 'it does not repeat the decision it names'
                    when
                        added.user_id = ''
                        and added.limit_usd > reported.recommended_limit_usd
                        and not exists (
                            select 1
                            from risk.limit_decisions as earlier
                            inner join risk.publications
                                on earlier.publication_id = publications.publication_id
                            inner join risk.runs on publications.run_id = runs.run_id
                            where
                                publications.effective_session = asked.effective_session
                                and publications.is_live = asked.is_live
                                and runs.is_point_in_time = asked.is_point_in_time
                                and runs.revision < asked.revision
                                and earlier.account_id = added.account_id
                                and earlier.action in ('approved', 'rejected')
                                and earlier.limit_usd >= added.limit_usd
                        )
                        then 'nobody has answered, and the limit is above the recommended one'
                    when
                        added.user_id <> ''
                        and added.carried_from is null
                        and exists (
                            select 1
                            from risk.publications as later
                            inner join risk.runs as later_runs on later.run_id = later_runs.run_id
                            where
                                later.effective_session = asked.effective_session
                                and later_runs.revision > asked.revision
                                and (later.is_live or not asked.is_live)
                                and (asked.is_point_in_time or not later_runs.is_point_in_time)
                        )
                        then 'a later report superseded it'
                end as why
        ) as found
    where found.why is not null
    limit 1;
    if refusal is not null then
        raise check_violation using message = refusal;
    end if;
    return null;
end
$$;


--
-- Name: FUNCTION check_limit_sources(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.check_limit_sources() IS 'Refuses a limit that comes from nowhere: above the recommended one without an earlier decision of a person, a repetition that is not the first decision word for word, a person''s decision about a superseded report.';


--
-- Name: check_page_role(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.check_page_role() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if not has_column_privilege(current_user, 'risk.limit_change_decisions', 'action', 'insert') then
        raise insufficient_privilege using message = format(
            '%s: what a person enters needs the role of the Risk page, and %s is not it', tg_table_name, current_user
        );
    end if;
    return new;
end
$$;


--
-- Name: FUNCTION check_page_role(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.check_page_role() IS 'Refuses a row that a person entered unless the role may decide about limit changes, as that of the Risk page may.';


--
-- Name: check_pipeline_role(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.check_pipeline_role() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if not has_column_privilege(current_user, 'risk.published_limits', 'limit_usd', 'insert') then
        raise insufficient_privilege using message = format(
            '%s: what no person entered needs the role of the pipeline, and %s is not it', tg_table_name, current_user
        );
    end if;
    return new;
end
$$;


--
-- Name: FUNCTION check_pipeline_role(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.check_pipeline_role() IS 'Refuses a row that no person entered unless the role may publish limits, as that of the pipeline may.';


--
-- Name: check_published_limits(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.check_published_limits() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    refusal text;
begin
    select format('limit of %s in publication %s: it is not what was decided', added.account_id, added.publication_id)
    into refusal
    from added
    inner join risk.publications on added.publication_id = publications.publication_id
    inner join risk.limit_decisions on added.decision_id = limit_decisions.decision_id
    where
        limit_decisions.action = 'edited'
        or (
            limit_decisions.publication_id, limit_decisions.account_id, limit_decisions.limit_usd,
            publications.effective_session
        ) is distinct from (added.publication_id, added.account_id, added.limit_usd, added.effective_session)
        or added.limit_usd > added.base_limit_usd
    limit 1;
    if refusal is not null then
        raise check_violation using message = refusal;
    end if;
    return null;
end
$$;


--
-- Name: FUNCTION check_published_limits(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.check_published_limits() IS 'Refuses a published limit that is not the one its decision states, is of another account or session, or lies above the base limit.';


--
-- Name: collected_corrections(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.collected_corrections(as_of timestamp with time zone) RETURNS TABLE(delivery_id bigint, line_number bigint, kind text, side text, quantity numeric, symbol text, price numeric, currency text, fees_usd numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    select
        applied.delivery_id,
        applied.line_number,
        applied.kind,
        applied.side,
        applied.quantity,
        applied.symbol,
        applied.price,
        applied.currency,
        applied.fees_usd
    from
        unnest(
            array(select found from risk.applied_corrections(collected_corrections.as_of) as found)
        ) as applied (
            delivery_id bigint,
            line_number bigint,
            correcting_delivery_id bigint,
            kind text,
            side text,
            quantity numeric,
            symbol text,
            price numeric,
            currency text,
            fees_usd numeric
        )
$$;


--
-- Name: FUNCTION collected_corrections(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.collected_corrections(as_of timestamp with time zone) IS 'What applied_corrections says, for a join with many fills. Grain: one row per corrected fill. Units and signs as in corrections.';


--
-- Name: corrected_fills(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.corrected_fills(as_of timestamp with time zone) RETURNS TABLE(delivery_id bigint, line_number bigint, session_date date, executed_at timestamp with time zone, is_time_unknown boolean, tie_rank integer, side text, quantity numeric, symbol text, price numeric, currency text, fees_usd numeric, fill_key text, order_id text)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    select
        fills.delivery_id,
        fills.line_number,
        fills.session_date,
        fills.executed_at,
        fills.is_time_unknown,
        fills.tie_rank,
        coalesce(applied.side, fills.side) as side,
        coalesce(applied.quantity, fills.quantity) as quantity,
        coalesce(applied.symbol, fills.symbol) as symbol,
        coalesce(applied.price, fills.price) as price,
        case when applied.kind is null then fills.currency else applied.currency end as currency,
        coalesce(applied.fees_usd, fills.fees_usd) as fees_usd,
        fills.fill_key,
        fills.order_id
    from risk.fills
    left join risk.collected_corrections(corrected_fills.as_of) as applied
        on
            fills.delivery_id = applied.delivery_id
            and fills.line_number = applied.line_number
    where not coalesce(applied.kind = 'canceled', false)
$$;


--
-- Name: FUNCTION corrected_fills(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.corrected_fills(as_of timestamp with time zone) IS 'The fills of all deliveries, also of those that do not count, with the corrections applied that are known at an instant, without those canceled. Grain: one row per delivery and line. Units and signs as in fills.';


--
-- Name: correction_targets(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.correction_targets(as_of timestamp with time zone) RETURNS TABLE(correcting_delivery_id bigint, correcting_line_number bigint, delivery_id bigint, line_number bigint, target_count bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    with delivered as materialized (
        select
            current_ones.delivery_id,
            current_ones.account_id,
            current_ones.session_date
        from risk.current_deliveries(correction_targets.as_of) as current_ones
        -- Of the accounts with corrections, and of all that were renamed: any of these may be one of them.
        where current_ones.source_account_id = any(
            array(
                select corrections.account_id
                from risk.corrections
                union
                select renamed.former_account_id
                from risk.renamed_accounts(correction_targets.as_of) as renamed
                union
                select renamed.account_id
                from risk.renamed_accounts(correction_targets.as_of) as renamed
            )
        )
    ),

    histories as (
        select
            delivered.account_id,
            array_agg(delivered.delivery_id) as delivery_ids,
            array_agg(delivered.session_date) as session_dates
        from delivered
        group by delivered.account_id
    ),

    searched as (
        select
            corrections.delivery_id,
            corrections.line_number,
            corrections.account_id,
            corrections.session_date,
            corrections.fill_key,
            corrections.order_id,
            corrections.symbol,
            histories.delivery_ids,
            histories.session_dates
        from risk.corrections
        inner join delivered on corrections.delivery_id = delivered.delivery_id
        inner join histories on delivered.account_id = histories.account_id
    ),

    candidates as (
        select
            searched.delivery_id as correcting_delivery_id,
            searched.line_number as correcting_line_number,
            fills.delivery_id,
            fills.line_number,
            fills.symbol = searched.symbol as is_of_symbol,
            rank() over (
                partition by
                    searched.delivery_id,
                    searched.line_number
                order by
                    (fills.account_id = searched.account_id) desc,
                    fills.account_id asc,
                    coalesce(fills.order_id = searched.order_id, false) desc
            ) as place
        from searched
        cross join lateral (
            select backwards.session_date
            from (
                select
                    listed.delivery_id,
                    listed.session_date
                from unnest(searched.delivery_ids, searched.session_dates) as listed (delivery_id, session_date)
                where listed.session_date <= searched.session_date
                order by listed.session_date desc
                offset 0
            ) as backwards
            cross join lateral (
                select
                from risk.fills
                where
                    fills.delivery_id = backwards.delivery_id
                    and fills.fill_key = searched.fill_key
                    and coalesce(fills.order_id = searched.order_id, true)
                limit 1
            ) as found
            order by backwards.session_date desc
            limit 1
        ) as newest
        cross join lateral
            unnest(searched.delivery_ids, searched.session_dates) as corrected (delivery_id, session_date)
        cross join lateral (
            select
                fills.delivery_id,
                fills.line_number,
                fills.account_id,
                fills.symbol,
                fills.order_id
            from risk.fills
            where
                fills.delivery_id = corrected.delivery_id
                and fills.fill_key = searched.fill_key
                and coalesce(fills.order_id = searched.order_id, true)
            offset 0
        ) as fills
        where corrected.session_date = newest.session_date
    ),

    counted as (
        select
            candidates.correcting_delivery_id,
            candidates.correcting_line_number,
            candidates.delivery_id,
            candidates.line_number,
            candidates.is_of_symbol,
            count(*) over by_correction as target_count,
            count(*) filter (where candidates.is_of_symbol) over by_correction as symbol_count
        from candidates
        where candidates.place = 1
        window by_correction as (
            partition by
                candidates.correcting_delivery_id,
                candidates.correcting_line_number
        )
    )

    select
        counted.correcting_delivery_id,
        counted.correcting_line_number,
        counted.delivery_id,
        counted.line_number,
        case counted.symbol_count when 1 then 1 else counted.target_count end as target_count
    from counted
    where
        counted.symbol_count <> 1
        or counted.is_of_symbol
$$;


--
-- Name: FUNCTION correction_targets(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.correction_targets(as_of timestamp with time zone) IS 'The fills that a correction may mean, as known at an instant: those of its account with its id and, where both state it, its order id, in its own session, else in the newest session before, since ids may start anew every day; of merged accounts under its own name first; where several have the id, the one of its symbol. target_count: how many; a correction with more than one waits. Grain: one row per correction and fill.';


--
-- Name: current_accounts(date, timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.current_accounts(of_day date, as_of timestamp with time zone) RETURNS TABLE(account_id text, display_name text, first_traded date, last_traded date, base_limit_usd numeric, is_disabled boolean, group_name text, trader_name text)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    with statements as (
        select
            accounts.account_id,
            accounts.valid_from,
            accounts.recorded_at,
            accounts.statement_id,
            accounts.display_name,
            accounts.first_traded,
            accounts.last_traded,
            accounts.base_limit_usd,
            accounts.is_disabled,
            accounts.group_name,
            accounts.trader_name
        from risk.accounts
        where
            accounts.valid_from <= current_accounts.of_day
            and accounts.recorded_at <= current_accounts.as_of
    ),

    held as (
        select
            statements.*,
            coalesce(renamed.account_id, statements.account_id) as holder_id
        from statements
        left join risk.renamed_accounts(current_accounts.as_of) as renamed
            on
                statements.account_id = renamed.former_account_id
                and statements.valid_from >= renamed.starts_at
                and statements.valid_from < renamed.ends_before
    ),

    gathered as (
        select
            held.holder_id as account_id,
            array_agg(held.display_name order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.display_name is not null) as display_names,
            array_agg(held.first_traded order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.first_traded is not null) as first_days,
            array_agg(held.last_traded order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.last_traded is not null) as last_days,
            array_agg(held.base_limit_usd order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.base_limit_usd is not null) as limits,
            array_agg(held.is_disabled order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.is_disabled is not null) as disabled_states,
            array_agg(held.group_name order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.group_name is not null) as group_names,
            array_agg(held.trader_name order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.trader_name is not null) as trader_names
        from held
        group by held.holder_id
    )

    select
        gathered.account_id,
        gathered.display_names[1] as display_name,
        gathered.first_days[1] as first_traded,
        gathered.last_days[1] as last_traded,
        gathered.limits[1] as base_limit_usd,
        coalesce(gathered.disabled_states[1], false) as is_disabled,
        gathered.group_names[1] as group_name,
        gathered.trader_names[1] as trader_name
    from gathered
$$;


--
-- Name: FUNCTION current_accounts(of_day date, as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.current_accounts(of_day date, as_of timestamp with time zone) IS 'Facts about accounts on a day, as known at an instant: of each fact the last statement. Statements under a former name hold until something is stated under the present one. Grain: one row per account with a statement. base_limit_usd in US dollars.';


--
-- Name: current_deliveries(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.current_deliveries(as_of timestamp with time zone) RETURNS TABLE(delivery_id bigint, load_id bigint, file_name text, account_id text, session_date date, content_sha256 text, published_at timestamp with time zone, recorded_at timestamp with time zone, row_count bigint, loaded_count bigint, rejected_count bigint, duplicate_count bigint, lost_count bigint, stated_count bigint, source_account_id text)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    select
        newest.delivery_id,
        newest.load_id,
        newest.file_name,
        coalesce(renamed.account_id, newest.account_id) as account_id,
        newest.session_date,
        newest.content_sha256,
        newest.published_at,
        newest.recorded_at,
        newest.row_count,
        newest.loaded_count,
        newest.rejected_count,
        newest.duplicate_count,
        newest.lost_count,
        newest.stated_count,
        newest.account_id as source_account_id
    from (
        select distinct on (deliveries.session_date, deliveries.account_id)
            deliveries.delivery_id,
            deliveries.load_id,
            deliveries.file_name,
            deliveries.account_id,
            deliveries.session_date,
            deliveries.content_sha256,
            deliveries.published_at,
            deliveries.recorded_at,
            deliveries.row_count,
            deliveries.loaded_count,
            deliveries.rejected_count,
            deliveries.duplicate_count,
            deliveries.lost_count,
            deliveries.stated_count
        from risk.deliveries
        where
            deliveries.recorded_at <= current_deliveries.as_of
            and not exists (
                select
                from risk.withdrawn_deliveries(current_deliveries.as_of) as withdrawn
                where withdrawn.delivery_id = deliveries.delivery_id
            )
        order by
            deliveries.session_date,
            deliveries.account_id,
            coalesce(deliveries.published_at, deliveries.recorded_at) desc,
            deliveries.delivery_id desc
    ) as newest
    left join risk.renamed_accounts(current_deliveries.as_of) as renamed
        on
            newest.account_id = renamed.former_account_id
            and newest.session_date >= renamed.starts_at
            and newest.session_date < renamed.ends_before
$$;


--
-- Name: FUNCTION current_deliveries(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.current_deliveries(as_of timestamp with time zone) IS 'The delivery of each account-session that counts, as known at an instant: what the source published last, or what was recorded last where the source does not say; none that a person has withdrawn. account_id: the present name, so that history follows renames; source_account_id: the account as the source names it, by which a condition is faster. Grain: one row per delivered account and session; two of merged accounts may belong to one account.';


--
-- Name: current_fills(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.current_fills(as_of timestamp with time zone) RETURNS TABLE(delivery_id bigint, line_number bigint, account_id text, session_date date, executed_at timestamp with time zone, is_time_unknown boolean, tie_rank integer, side text, quantity numeric, symbol text, price numeric, currency text, fees_usd numeric, fill_key text, order_id text)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    select
        corrected.delivery_id,
        corrected.line_number,
        current_ones.account_id,
        corrected.session_date,
        corrected.executed_at,
        corrected.is_time_unknown,
        corrected.tie_rank,
        corrected.side,
        corrected.quantity,
        corrected.symbol,
        corrected.price,
        corrected.currency,
        corrected.fees_usd,
        corrected.fill_key,
        corrected.order_id
    from risk.current_deliveries(current_fills.as_of) as current_ones
    inner join risk.corrected_fills(current_fills.as_of) as corrected
        on current_ones.delivery_id = corrected.delivery_id
$$;


--
-- Name: FUNCTION current_fills(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.current_fills(as_of timestamp with time zone) IS 'The fills that count, as known at an instant: those of the current deliveries, with corrections applied. Grain: one row per delivery and line. Units and signs as in fills.';


--
-- Name: current_rejects(date, timestamp with time zone, bigint); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.current_rejects(of_session date, as_of timestamp with time zone, of_load bigint) RETURNS TABLE(load_id bigint, file_name text, line_number bigint, delivery_id bigint, reason text, cause text)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    with unplaced as (
        select
            fill_rejects.load_id,
            fill_rejects.file_name,
            fill_rejects.line_number,
            fill_rejects.delivery_id,
            fill_rejects.reason,
            fill_rejects.cause,
            min(coalesce(fill_rejects.session_date, loads.through_session_date)) over (
                partition by
                    fill_rejects.file_name,
                    fill_rejects.line_number,
                    fill_rejects.raw_text,
                    fill_rejects.reason
            ) as counted_session
        from risk.fill_rejects
        inner join risk.loads on fill_rejects.load_id = loads.load_id
        where
            fill_rejects.delivery_id is null
            and not fill_rejects.is_reference
    )

    select
        fill_rejects.load_id,
        fill_rejects.file_name,
        fill_rejects.line_number,
        fill_rejects.delivery_id,
        fill_rejects.reason,
        fill_rejects.cause
    from risk.fill_rejects
    inner join risk.current_deliveries(current_rejects.as_of) as current_ones
        on fill_rejects.delivery_id = current_ones.delivery_id
    where current_ones.session_date = current_rejects.of_session
    union all
    select
        unplaced.load_id,
        unplaced.file_name,
        unplaced.line_number,
        unplaced.delivery_id,
        unplaced.reason,
        unplaced.cause
    from unplaced
    inner join risk.source_files as met
        on
            unplaced.load_id = met.load_id
            and unplaced.file_name = met.file_name
    inner join risk.source_files as present
        on
            met.file_name = present.file_name
            and met.content_sha256 = present.content_sha256
    where
        present.load_id = current_rejects.of_load
        and unplaced.counted_session = current_rejects.of_session
$$;


--
-- Name: FUNCTION current_rejects(of_session date, as_of timestamp with time zone, of_load bigint); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.current_rejects(of_session date, as_of timestamp with time zone, of_load bigint) IS 'Rejected rows of executions that a session lacks, as known at an instant. A row of a delivery counts while the delivery does. A row without an account-session counts while its file is unchanged in the source that of_load read: in its session if it names one, else in the session whose load met it first. Grain: one row per rejected row.';


--
-- Name: current_totals(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.current_totals(as_of timestamp with time zone) RETURNS TABLE(account_id text, session_date date, gross_pnl_usd numeric, net_pnl_usd numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    with newest as (
        select distinct on (totals.account_id, totals.session_date)
            totals.account_id,
            totals.session_date,
            totals.gross_pnl_usd,
            totals.net_pnl_usd
        from risk.totals
        where totals.recorded_at <= current_totals.as_of
        order by
            totals.account_id asc,
            totals.session_date asc,
            coalesce(totals.published_at, totals.recorded_at) desc,
            totals.total_id desc
    )

    select
        coalesce(renamed.account_id, newest.account_id) as account_id,
        newest.session_date,
        sum(newest.gross_pnl_usd) as gross_pnl_usd,
        sum(newest.net_pnl_usd) as net_pnl_usd
    from newest
    left join risk.renamed_accounts(current_totals.as_of) as renamed
        on
            newest.account_id = renamed.former_account_id
            and newest.session_date >= renamed.starts_at
            and newest.session_date < renamed.ends_before
    group by
        coalesce(renamed.account_id, newest.account_id),
        newest.session_date
$$;


--
-- Name: FUNCTION current_totals(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.current_totals(as_of timestamp with time zone) IS 'P&L of an account-session by the source''s own books, as known at an instant. Grain: one row per account and session. US dollars, gains positive.';


--
-- Name: decided_cut_outcomes(date, timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.decided_cut_outcomes(through_session_date date, as_of timestamp with time zone) RETURNS TABLE(account_id text, effective_session date, run_id bigint, is_live boolean, cut_ratio numeric, base_limit_usd numeric, limit_usd numeric, base_outcome_usd numeric, cut_outcome_usd numeric, benefit_usd numeric, published_limit_usd numeric, decision text)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    with decided as (
        select
            publications.run_id,
            coalesce(renamed.account_id, published.account_id) as account_id,
            published.limit_usd,
            case
                when decisions.action = 'approved' and published.decided_limit_usd = published.recommended_limit_usd
                    then 'followed'
                when decisions.action = 'approved' then 'overridden'
                when decisions.action = 'timed_out' then 'timed out'
                when decisions.action = 'not_required' then 'not required'
                else decisions.action
            end as decision
        from risk.publications
        inner join risk.runs on publications.run_id = runs.run_id
        inner join risk.published_limits as published on publications.publication_id = published.publication_id
        inner join risk.limit_decisions as decisions on published.decision_id = decisions.decision_id
        left join risk.renamed_accounts('infinity') as renamed
            on
                published.account_id = renamed.former_account_id
                and runs.session_date >= renamed.starts_at
                and runs.session_date < renamed.ends_before
    ),

    named as (
        select
            decided.run_id,
            decided.account_id,
            sum(decided.limit_usd) as limit_usd,
            case
                when min(decided.decision) = max(decided.decision) then min(decided.decision)
                else 'overridden'
            end as decision
        from decided
        group by
            decided.run_id,
            decided.account_id
    )

    select
        entries.account_id,
        entries.effective_session,
        entries.run_id,
        entries.is_live,
        entries.cut_ratio,
        entries.base_limit_usd,
        entries.limit_usd,
        entries.base_outcome_usd,
        entries.cut_outcome_usd,
        entries.cut_outcome_usd - entries.base_outcome_usd as benefit_usd,
        named.limit_usd as published_limit_usd,
        coalesce(named.decision, 'not published') as decision
    from derived.cut_outcomes as entries
    left join named
        on
            entries.run_id = named.run_id
            and entries.account_id = named.account_id
    where
        entries.effective_session <= decided_cut_outcomes.through_session_date
        and entries.reported_at <= decided_cut_outcomes.as_of
$$;


--
-- Name: FUNCTION decided_cut_outcomes(through_session_date date, as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.decided_cut_outcomes(through_session_date date, as_of timestamp with time zone) IS 'Each cut outcome known through a session and an instant, with what people decided about the recommendation. decision: followed, overridden (approved with another limit, or merged accounts whose decisions differ), rejected, timed out, not required, not published. Grain: one row per account and effective session. US dollars; benefit_usd: value of the recommended cut, gains positive; published_limit_usd null = none. For the Risk page: it reads the live schema derived, whatever a connection puts in its place.';


--
-- Name: delivery_states(date, timestamp with time zone, integer, text); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.delivery_states(of_session date, as_of timestamp with time zone, active_within integer, legacy_suffix text) RETURNS TABLE(account_id text, state text, is_expected boolean, is_new boolean, delivery_id bigint, published_at timestamp with time zone, row_count bigint, loaded_count bigint, rejected_count bigint)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
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


--
-- Name: FUNCTION delivery_states(of_session date, as_of timestamp with time zone, active_within integer, legacy_suffix text); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.delivery_states(of_session date, as_of timestamp with time zone, active_within integer, legacy_suffix text) IS 'What arrived for one session from each account that is expected or delivered, as known at an instant. state: delivered (rows came), account disabled (none came and the account is stated as disabled), no trades (empty, published at or after the close + 24 h), not posted (empty, published earlier), withdrawn (a person has withdrawn what came), missing (nothing came, but others did), feed broken (nothing for anybody). Expected: had fills within the last active_within sessions before, is not disabled, and its name does not end in legacy_suffix. New: delivered, not stated, and without fills within those sessions, in which others had some. Grain: one row per account.';


--
-- Name: has_later_report(bigint); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.has_later_report(run_id bigint) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select count(*) > 0
    from risk.runs as own
    inner join risk.runs as later
        on
            own.session_date = later.session_date
            and own.revision < later.revision
            and (own.is_point_in_time or not later.is_point_in_time)
    inner join risk.reports on later.run_id = reports.run_id
    where own.run_id = has_later_report.run_id
$$;


--
-- Name: FUNCTION has_later_report(run_id bigint); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.has_later_report(run_id bigint) IS 'Whether a later revision of a run''s session has a report.';


--
-- Name: link_rows(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.link_rows() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO'
    AS $_$
declare
    row_text text;
    key_text text;
    query text;
    link_text text;
    stamp timestamptz;
    head record;
    delivery_ids bigint [];
    load_ids bigint [];
    linked record;
begin
    -- Whoever owns another table could have it linked, too, under a name that is ours.
    if tg_table_schema <> 'risk' then
        raise insufficient_privilege using message = 'only tables of the schema risk are linked';
    end if;

    -- The warehouse's write lock, which a task's transaction holds already.
    perform pg_advisory_xact_lock(5202511);

    -- Each column's JSON is null where its value is null, and concat_ws leaves it out. Instants at infinity and before
    -- Christ are written as their text, lest two have the same form.
    select
        string_agg(
            format('%L || ', to_json(attname)::text || ':') || case
                when atttypid = 'boolean'::regtype then format('added.%I::text', attname)
                when atttypid = 'timestamptz'::regtype
                    then format(
                        'to_json(case when isfinite(added.%1$I) and added.%1$I >= ''0001-01-01 00:00:00+00'' '
                        'then to_char(added.%1$I, ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'') else added.%1$I::text end)::text',
                        attname
                    )
                else format('to_json(added.%I::text)::text', attname)
            end,
            ', '
            order by attname collate "C"
        )
    into row_text
    from pg_attribute
    where attrelid = tg_relid and attnum > 0 and not attisdropped;
    row_text := format('sha256(convert_to(''{'' || concat_ws('','', %s) || ''}'', ''UTF8''))', row_text);
    select string_agg(format('added.%I', part), ', ' order by place)
    into key_text
    from unnest(tg_argv) with ordinality as keys (part, place)
    where part not in ('each', 'all', 'parts');
    query := case tg_argv[0]
        when 'each' then
            format(
                'select %3$L as kind, concat_ws('' '', %1$s) as subject, 1 as row_count, %2$s as digest '
                'from added order by %1$s',
                key_text,
                row_text,
                tg_table_name
            )
        when 'all' then
            format(
                'select %3$L as kind, min(%1$s) || ''-'' || max(%1$s) as subject, count(*) as row_count, '
                'sha256(string_agg(%2$s, '''' order by %1$s)) as digest from added having count(*) > 0',
                key_text,
                row_text,
                tg_table_name
            )
        -- A row's text is what Postgres prints of it: as JSON it takes three times as long. A report that was there
        -- already is no link, but what came before it has its own.
        else
            (
                select
                    string_agg(
                        format(
                            'select %1$L as kind, concat_ws('' '', %2$s) as subject, count(*) as row_count, '
                            'sha256(string_agg(sha256(convert_to(part::text, ''UTF8'')), '''' order by line_number)) '
                            'as digest from risk.%1$I as part where %3$s and not exists ('
                            'select from risk.chain_links where chain_links.kind = %1$L '
                            'and chain_links.subject = concat_ws('' '', %2$s)) group by %2$s',
                            parts.kind,
                            parts.key_text,
                            parts.condition
                        ),
                        ' union all '
                    )
                    || ' order by kind, subject'
                from (
                    values
                    ('corrections', 'part.delivery_id', 'part.delivery_id = any($1)'),
                    ('fill_rejects', 'part.load_id, part.file_name', 'part.load_id = any($2)'),
                    (
                        'fills',
                        'part.delivery_id',
                        'part.delivery_id = any($1) and part.session_date = any(array('
                        'select deliveries.session_date from risk.deliveries where deliveries.delivery_id = any($1)))'
                    )
                ) as parts (kind, key_text, condition)
            )
    end;
    if tg_argv[0] = 'parts' then
        select
            array_agg(chain_links.subject::bigint) filter (where chain_links.kind = 'deliveries'),
            array_agg(distinct split_part(chain_links.subject, ' ', 1)::bigint)
                filter (where chain_links.kind = 'source_files')
        into delivery_ids, load_ids
        from risk.chain_links
        where
            chain_links.kind in ('deliveries', 'source_files')
            and chain_links.sequence > (
                select coalesce(max(chain_links.sequence), 0) from risk.chain_links where chain_links.kind = 'reports'
            );
    end if;

    select
        coalesce(max(links.sequence), 0) as sequence,
        coalesce(max(links.link_sha256), repeat('0', 64)) as link_sha256
    into head
    from (select * from risk.chain_links order by chain_links.sequence desc limit 1) as links;

    for linked in execute query using delivery_ids, load_ids loop
        stamp := clock_timestamp();
        link_text := format(
            '{"content_sha256":"%s","format_number":"1","kind":"%s","previous_sha256":"%s",'
            '"recorded_at":"%s","row_count":"%s","sequence":"%s","subject":%s}',
            encode(linked.digest, 'hex'),
            linked.kind,
            head.link_sha256,
            to_char(stamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            linked.row_count,
            head.sequence + 1,
            to_json(linked.subject)
        );
        insert into risk.chain_links
        values (
            head.sequence + 1,
            1,
            linked.kind,
            linked.subject,
            linked.row_count,
            encode(linked.digest, 'hex'),
            head.link_sha256,
            encode(sha256(convert_to(link_text, 'UTF8')), 'hex'),
            stamp
        )
        returning chain_links.sequence, chain_links.link_sha256 into head;
    end loop;
    return null;
end
$_$;


--
-- Name: FUNCTION link_rows(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.link_rows() IS 'Appends links to the chain for the rows that a statement inserted: one for each, or one for all. Its arguments are each or all, and the columns of the key; or parts, before a report, for what was loaded since the last one.';


--
-- Name: load_instant(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.load_instant() RETURNS timestamp with time zone
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        coalesce(
            (
                select newest.recorded_at
                from (
                    select
                        loads.recorded_at,
                        loads.xmin
                    from risk.loads
                    order by loads.load_id desc
                    limit 1
                ) as newest
                where newest.xmin = pg_current_xact_id()::xid
            ),
            clock_timestamp()
        )
$$;


--
-- Name: FUNCTION load_instant(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.load_instant() IS 'When a row of a load was recorded: the instant of the load that this transaction has opened, else the clock.';


--
-- Name: renamed_accounts(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.renamed_accounts(as_of timestamp with time zone) RETURNS TABLE(former_account_id text, starts_at date, ends_before date, account_id text)
    LANGUAGE plpgsql STABLE ROWS 1 PARALLEL SAFE
    AS $$
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


--
-- Name: FUNCTION renamed_accounts(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.renamed_accounts(as_of timestamp with time zone) IS 'Present name of an account for a range of its sessions, where accounts were renamed or merged, as known at an instant: sessions from starts_at on, before ends_before. A statement that an account was formerly another takes that one''s sessions before its day; one of the calendar''s first session, for which no day was given, takes all of them. Chains are followed to their end; of several statements about one former account and day the last recorded counts. Grain: one row per former account and range; ranges of one account do not overlap.';


--
-- Name: renamed_forecasts(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.renamed_forecasts(as_of timestamp with time zone) RETURNS TABLE(former_account_id text, starts_after date, ends_on date, account_id text)
    LANGUAGE sql STABLE ROWS 1 PARALLEL SAFE
    AS $$
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


--
-- Name: FUNCTION renamed_forecasts(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.renamed_forecasts(as_of timestamp with time zone) IS 'Present name of the account that a forecast was issued for, where accounts were renamed or merged, as known at an instant: effective sessions after starts_after, through ends_on. A forecast belongs to whoever held the account in the session after which it was issued, so that the one issued on the evening before a rename follows the person. Grain: as renamed_accounts.';


--
-- Name: scored_recommendations(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.scored_recommendations(as_of timestamp with time zone) RETURNS TABLE(account_id text, effective_session date, run_id bigint, reported_at timestamp with time zone, is_live boolean, base_limit_usd numeric, cut_ratio numeric, limit_usd numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
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


--
-- Name: FUNCTION scored_recommendations(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.scored_recommendations(as_of timestamp with time zone) IS 'The recommendations that count in the cut track record, and for which account, as known at an instant. A recommendation under a former name counts for the present one; those for several accounts that were merged since are added up. Grain: one row per account and effective session that was reported. US dollars.';


--
-- Name: scored_runs(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.scored_runs(as_of timestamp with time zone) RETURNS TABLE(effective_session date, run_id bigint, reported_at timestamp with time zone, is_live boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    select distinct on (runs.effective_session)
        runs.effective_session,
        runs.run_id,
        reports.recorded_at as reported_at,
        reports.recorded_at < sessions.opens_at as is_live
    from risk.reports
    inner join risk.runs on reports.run_id = runs.run_id
    inner join risk.sessions on runs.effective_session = sessions.session_date
    where
        reports.recorded_at <= scored_runs.as_of
        and not runs.is_point_in_time
    order by
        runs.effective_session asc,
        reports.recorded_at < sessions.opens_at desc,
        case when reports.recorded_at < sessions.opens_at then runs.revision end desc,
        reports.recorded_at asc,
        runs.revision asc
$$;


--
-- Name: FUNCTION scored_runs(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.scored_runs(as_of timestamp with time zone) IS 'The run whose recommendations for a session count in the cut track record, as known at an instant: the last revision reported before the session opened, for that is what the desk traded by; else the first one reported afterwards, since repeating it cannot improve the record. Point-in-time runs never count. Grain: one row per effective session that was reported.';


--
-- Name: summarize_fills(); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.summarize_fills() RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select brin_summarize_new_values('risk.fills_session'::regclass)
$$;


--
-- Name: FUNCTION summarize_fills(); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.summarize_fills() IS 'Summarizes the index fills_session after a load, on behalf of the pipeline''s role. Returns the number of page ranges summarized.';


--
-- Name: withdrawn_deliveries(timestamp with time zone); Type: FUNCTION; Schema: risk; Owner: -
--

CREATE FUNCTION risk.withdrawn_deliveries(as_of timestamp with time zone) RETURNS TABLE(delivery_id bigint, account_id text, session_date date, withdrawal_id bigint)
    LANGUAGE plpgsql STABLE ROWS 1 PARALLEL SAFE
    AS $$
#variable_conflict use_column
begin
    return query
    with newest as (
        select distinct on (withdrawals.account_id, withdrawals.session_date)
            withdrawals.withdrawal_id,
            withdrawals.account_id,
            withdrawals.session_date,
            withdrawals.through_delivery_id,
            withdrawals.is_undone
        from risk.withdrawals
        where withdrawals.recorded_at <= withdrawn_deliveries.as_of
        order by
            withdrawals.account_id asc,
            withdrawals.session_date asc,
            withdrawals.withdrawal_id desc
    )

    select
        deliveries.delivery_id,
        coalesce(renamed.account_id, newest.account_id) as account_id,
        newest.session_date,
        newest.withdrawal_id
    from newest
    inner join risk.deliveries
        on
            newest.account_id = deliveries.account_id
            and newest.session_date = deliveries.session_date
            and newest.through_delivery_id >= deliveries.delivery_id
    left join risk.renamed_accounts(withdrawn_deliveries.as_of) as renamed
        on
            newest.account_id = renamed.former_account_id
            and newest.session_date >= renamed.starts_at
            and newest.session_date < renamed.ends_before
    where not newest.is_undone;
end
$$;


--
-- Name: FUNCTION withdrawn_deliveries(as_of timestamp with time zone); Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON FUNCTION risk.withdrawn_deliveries(as_of timestamp with time zone) IS 'The deliveries that a person has withdrawn, as known at an instant: none of them counts. account_id: the present name. Grain: one row per delivery.';


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: cut_outcomes; Type: TABLE; Schema: derived; Owner: -
--

CREATE TABLE derived.cut_outcomes (
    account_id text NOT NULL,
    effective_session date NOT NULL,
    run_id bigint NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    is_live boolean NOT NULL,
    base_limit_usd numeric(18,2) NOT NULL,
    cut_ratio numeric(3,2) NOT NULL,
    limit_usd numeric(18,2) NOT NULL,
    running_lows_usd numeric[] NOT NULL,
    close_usd numeric NOT NULL,
    base_outcome_usd numeric NOT NULL,
    cut_outcome_usd numeric NOT NULL
);


--
-- Name: TABLE cut_outcomes; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON TABLE derived.cut_outcomes IS 'What became of past recommendations. A cache: rebuilt from reports, books and fills. Grain: one row per account and effective session whose books are complete.';


--
-- Name: COLUMN cut_outcomes.account_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.account_id IS 'Account.';


--
-- Name: COLUMN cut_outcomes.effective_session; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.effective_session IS 'Session the limits are for.';


--
-- Name: COLUMN cut_outcomes.run_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.run_id IS 'Run whose recommendation is scored, see scored_runs.';


--
-- Name: COLUMN cut_outcomes.reported_at; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.reported_at IS 'When the recommendation was reported.';


--
-- Name: COLUMN cut_outcomes.is_live; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.is_live IS 'Whether it was reported before the effective session opened.';


--
-- Name: COLUMN cut_outcomes.base_limit_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.base_limit_usd IS 'Limit before the cut, US dollars.';


--
-- Name: COLUMN cut_outcomes.cut_ratio; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.cut_ratio IS 'Recommended cut; 0.40 = 40%.';


--
-- Name: COLUMN cut_outcomes.limit_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.limit_usd IS 'Recommended limit, US dollars.';


--
-- Name: COLUMN cut_outcomes.running_lows_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.running_lows_usd IS 'New lows of the session''s running net P&L as positive losses, ascending: under any limit the day ends at the first one that reaches it.';


--
-- Name: COLUMN cut_outcomes.close_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.close_usd IS 'Total P&L of the session, US dollars.';


--
-- Name: COLUMN cut_outcomes.base_outcome_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.base_outcome_usd IS 'P&L of the day under the base limit.';


--
-- Name: COLUMN cut_outcomes.cut_outcome_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.cut_outcomes.cut_outcome_usd IS 'P&L of the day under the recommended limit.';


--
-- Name: daily_pnl; Type: TABLE; Schema: derived; Owner: -
--

CREATE TABLE derived.daily_pnl (
    account_id text NOT NULL,
    session_date date NOT NULL,
    input_fingerprint bigint,
    fill_count bigint NOT NULL,
    volume numeric NOT NULL,
    turnover_usd numeric,
    gross_pnl_usd numeric,
    fees_usd numeric NOT NULL,
    net_pnl_usd numeric,
    unrealized_pnl_usd numeric,
    unrealized_delta_usd numeric,
    total_pnl_usd numeric,
    incomplete_reason text,
    early_pnl_usd numeric,
    late_pnl_usd numeric,
    holding_seconds numeric,
    adds_to_loser_count bigint,
    concentration_ratio numeric,
    overnight_usd numeric,
    CONSTRAINT daily_pnl_check CHECK (((incomplete_reason IS NULL) = (total_pnl_usd IS NOT NULL)))
);


--
-- Name: TABLE daily_pnl; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON TABLE derived.daily_pnl IS 'Daily P&L by the vendor''s method, as currently known. A cache: rebuilt from fills and marks. Grain: one row per account-session with fills or a carried position.';


--
-- Name: COLUMN daily_pnl.account_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.account_id IS 'Account.';


--
-- Name: COLUMN daily_pnl.session_date; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN daily_pnl.input_fingerprint; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.input_fingerprint IS 'Fingerprint of the deliveries the row was built from, see book_inputs; null for a carried position without fills.';


--
-- Name: COLUMN daily_pnl.fill_count; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.fill_count IS 'Fills of the session.';


--
-- Name: COLUMN daily_pnl.volume; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.volume IS 'Shares or contracts traded.';


--
-- Name: COLUMN daily_pnl.turnover_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.turnover_usd IS 'Traded value in US dollars; null = unknown.';


--
-- Name: COLUMN daily_pnl.gross_pnl_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.gross_pnl_usd IS 'Realized P&L before fees, US dollars, gains positive; null where the books are incomplete.';


--
-- Name: COLUMN daily_pnl.fees_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.fees_usd IS 'Fees in US dollars, positive = cost.';


--
-- Name: COLUMN daily_pnl.net_pnl_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.net_pnl_usd IS 'gross_pnl_usd less fees_usd.';


--
-- Name: COLUMN daily_pnl.unrealized_pnl_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.unrealized_pnl_usd IS 'Unrealized P&L of all positions at the close, US dollars.';


--
-- Name: COLUMN daily_pnl.unrealized_delta_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.unrealized_delta_usd IS 'Change of unrealized_pnl_usd since the session before.';


--
-- Name: COLUMN daily_pnl.total_pnl_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.total_pnl_usd IS 'net_pnl_usd plus unrealized_delta_usd.';


--
-- Name: COLUMN daily_pnl.incomplete_reason; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.incomplete_reason IS 'What is unknown and what to do, as sentences; null = complete.';


--
-- Name: COLUMN daily_pnl.early_pnl_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.early_pnl_usd IS 'P&L before fees of the first hour, US dollars; null = unknown.';


--
-- Name: COLUMN daily_pnl.late_pnl_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.late_pnl_usd IS 'P&L before fees of the last hour, US dollars; null = unknown.';


--
-- Name: COLUMN daily_pnl.holding_seconds; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.holding_seconds IS 'Seconds that closed quantities were held, times the quantity; null = unknown.';


--
-- Name: COLUMN daily_pnl.adds_to_loser_count; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.adds_to_loser_count IS 'Fills that added to a losing position; null = unknown.';


--
-- Name: COLUMN daily_pnl.concentration_ratio; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.concentration_ratio IS 'Herfindahl index of the turnover by symbol: squared shares, summed; null = unknown.';


--
-- Name: COLUMN daily_pnl.overnight_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.daily_pnl.overnight_usd IS 'Value of all positions at the close, US dollars; null = unknown.';


--
-- Name: features; Type: TABLE; Schema: derived; Owner: -
--

CREATE TABLE derived.features (
    account_id text NOT NULL,
    session_date date NOT NULL,
    feature_set_version text NOT NULL,
    last_z double precision,
    mean_z_3 double precision,
    mean_z_5 double precision,
    mean_z_10 double precision,
    mean_z_20 double precision,
    scale_ratio_5_20 double precision,
    scale_ratio_10_60 double precision,
    win_rate_5 double precision,
    win_rate_20 double precision,
    loss_streak double precision,
    sessions_since_peak double precision,
    drawdown double precision,
    worst_z_5 double precision,
    worst_z_20 double precision,
    trades_against_norm double precision,
    volume_against_norm double precision,
    volatility_ratio_1 double precision,
    volatility_ratio_2 double precision,
    volatility_ratio_4 double precision,
    volatility_ratio_11 double precision,
    volatility_ratio_200 double precision,
    loss_ratio_1 double precision,
    loss_ratio_3 double precision,
    large_loss_share_1 double precision,
    large_loss_share_4 double precision,
    trades_ratio_0_60 double precision,
    trades_ratio_1_60 double precision,
    trades_ratio_3_60 double precision,
    fees_per_turnover double precision,
    enlarging_share_0 double precision,
    enlarging_share_3 double precision,
    holding_against_norm double precision,
    sessions_absent double precision,
    weekday double precision,
    market_loser_share double precision,
    market_mean_z double precision,
    market_dispersion double precision,
    market_size_ratio_1 double precision,
    market_size_ratio_4 double precision,
    market_size_ratio_15 double precision,
    market_trades_ratio_1 double precision,
    market_trades_ratio_5 double precision,
    market_active_count double precision,
    early_pnl_share double precision,
    late_pnl_share double precision,
    symbol_concentration double precision,
    overnight_exposure double precision
);


--
-- Name: TABLE features; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON TABLE derived.features IS 'Scale-free features known after a session''s close, for the next session. A cache: rebuilt from daily_pnl. Grain: one row per account and session, for the 30 sessions from its last active one on. One column per feature of risk.model.features; null = not defined.';


--
-- Name: COLUMN features.account_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.account_id IS 'Account.';


--
-- Name: COLUMN features.session_date; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN features.feature_set_version; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.feature_set_version IS 'Names the formulas that computed the row; predict_limits refuses rows of other formulas.';


--
-- Name: COLUMN features.last_z; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.last_z IS 'P&L of the last session (own scales).';


--
-- Name: COLUMN features.mean_z_3; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.mean_z_3 IS 'Mean P&L of the last 3 sessions (own scales).';


--
-- Name: COLUMN features.mean_z_5; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.mean_z_5 IS 'Mean P&L of the last 5 sessions (own scales).';


--
-- Name: COLUMN features.mean_z_10; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.mean_z_10 IS 'Mean P&L of the last 10 sessions (own scales).';


--
-- Name: COLUMN features.mean_z_20; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.mean_z_20 IS 'Mean P&L of the last 20 sessions (own scales).';


--
-- Name: COLUMN features.scale_ratio_5_20; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.scale_ratio_5_20 IS 'Scale of 5 sessions against that of 20 (ratio).';


--
-- Name: COLUMN features.scale_ratio_10_60; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.scale_ratio_10_60 IS 'Scale of 10 sessions against that of 60 (ratio).';


--
-- Name: COLUMN features.win_rate_5; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.win_rate_5 IS 'Share of gains in the last 5 sessions (ratio).';


--
-- Name: COLUMN features.win_rate_20; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.win_rate_20 IS 'Share of gains in the last 20 sessions (ratio).';


--
-- Name: COLUMN features.loss_streak; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.loss_streak IS 'Losing sessions in a row (sessions).';


--
-- Name: COLUMN features.sessions_since_peak; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.sessions_since_peak IS 'Sessions since the peak of P&L (sessions).';


--
-- Name: COLUMN features.drawdown; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.drawdown IS 'Fall of cumulative P&L from its peak (own scales).';


--
-- Name: COLUMN features.worst_z_5; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.worst_z_5 IS 'Worst P&L of the last 5 sessions (own scales).';


--
-- Name: COLUMN features.worst_z_20; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.worst_z_20 IS 'Worst P&L of the last 20 sessions (own scales).';


--
-- Name: COLUMN features.trades_against_norm; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.trades_against_norm IS 'Fills against the 20 sessions before (ratio).';


--
-- Name: COLUMN features.volume_against_norm; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.volume_against_norm IS 'Volume against the 20 sessions before (ratio).';


--
-- Name: COLUMN features.volatility_ratio_1; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.volatility_ratio_1 IS 'Size of P&L, half-life 1 sessions (own scales).';


--
-- Name: COLUMN features.volatility_ratio_2; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.volatility_ratio_2 IS 'Size of P&L, half-life 2 sessions (own scales).';


--
-- Name: COLUMN features.volatility_ratio_4; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.volatility_ratio_4 IS 'Size of P&L, half-life 4 sessions (own scales).';


--
-- Name: COLUMN features.volatility_ratio_11; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.volatility_ratio_11 IS 'Size of P&L, half-life 11 sessions (own scales).';


--
-- Name: COLUMN features.volatility_ratio_200; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.volatility_ratio_200 IS 'Size of P&L, half-life 200 sessions (own scales).';


--
-- Name: COLUMN features.loss_ratio_1; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.loss_ratio_1 IS 'Size of losses, half-life 1 session (own scales).';


--
-- Name: COLUMN features.loss_ratio_3; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.loss_ratio_3 IS 'Size of losses, half-life 3 sessions (own scales).';


--
-- Name: COLUMN features.large_loss_share_1; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.large_loss_share_1 IS 'Share of large losses, half-life 1 (ratio).';


--
-- Name: COLUMN features.large_loss_share_4; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.large_loss_share_4 IS 'Share of large losses, half-life 4 (ratio).';


--
-- Name: COLUMN features.trades_ratio_0_60; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.trades_ratio_0_60 IS 'Fills of the last session against the norm (ratio).';


--
-- Name: COLUMN features.trades_ratio_1_60; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.trades_ratio_1_60 IS 'Fills, half-life 1, against the norm (ratio).';


--
-- Name: COLUMN features.trades_ratio_3_60; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.trades_ratio_3_60 IS 'Fills, half-life 3, against the norm (ratio).';


--
-- Name: COLUMN features.fees_per_turnover; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.fees_per_turnover IS 'Fees against gross turnover (ratio).';


--
-- Name: COLUMN features.enlarging_share_0; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.enlarging_share_0 IS 'Share of fills that enlarged a losing position (ratio).';


--
-- Name: COLUMN features.enlarging_share_3; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.enlarging_share_3 IS 'The same, half-life 3 sessions (ratio).';


--
-- Name: COLUMN features.holding_against_norm; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.holding_against_norm IS 'Holding time against the 20 sessions before (ratio).';


--
-- Name: COLUMN features.sessions_absent; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.sessions_absent IS 'Sessions since the last active one (sessions).';


--
-- Name: COLUMN features.weekday; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.weekday IS 'Weekday of the next session (0 = Monday).';


--
-- Name: COLUMN features.market_loser_share; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.market_loser_share IS 'Share of losing traders in the session (ratio).';


--
-- Name: COLUMN features.market_mean_z; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.market_mean_z IS 'Mean P&L of the traders in the session (own scales).';


--
-- Name: COLUMN features.market_dispersion; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.market_dispersion IS 'Spread of P&L between the traders in the session (own scales).';


--
-- Name: COLUMN features.market_size_ratio_1; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.market_size_ratio_1 IS 'Size of all traders'' P&L, half-life 1 sessions (own scales).';


--
-- Name: COLUMN features.market_size_ratio_4; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.market_size_ratio_4 IS 'Size of all traders'' P&L, half-life 4 sessions (own scales).';


--
-- Name: COLUMN features.market_size_ratio_15; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.market_size_ratio_15 IS 'Size of all traders'' P&L, half-life 15 sessions (own scales).';


--
-- Name: COLUMN features.market_trades_ratio_1; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.market_trades_ratio_1 IS 'Fills of all traders against their norms, half-life 1 sessions (ratio).';


--
-- Name: COLUMN features.market_trades_ratio_5; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.market_trades_ratio_5 IS 'Fills of all traders against their norms, half-life 5 sessions (ratio).';


--
-- Name: COLUMN features.market_active_count; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.market_active_count IS 'Traders active in the session (traders).';


--
-- Name: COLUMN features.early_pnl_share; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.early_pnl_share IS 'Share of the first hour in P&L (ratio, signed).';


--
-- Name: COLUMN features.late_pnl_share; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.late_pnl_share IS 'Share of the last hour in P&L (ratio, signed).';


--
-- Name: COLUMN features.symbol_concentration; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.symbol_concentration IS 'Concentration on few symbols (ratio).';


--
-- Name: COLUMN features.overnight_exposure; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.features.overnight_exposure IS 'Positions at the close against usual turnover (ratio).';


--
-- Name: forecasts; Type: TABLE; Schema: derived; Owner: -
--

CREATE TABLE derived.forecasts (
    account_id text NOT NULL,
    effective_session date NOT NULL,
    expert text NOT NULL,
    run_id bigint,
    quantile_05_usd numeric NOT NULL,
    is_live boolean NOT NULL,
    model_id bigint,
    CONSTRAINT forecasts_quantile_05_usd_check CHECK ((quantile_05_usd < (0)::numeric)),
    CONSTRAINT forecasts_source CHECK (((run_id IS NOT NULL) OR (model_id IS NOT NULL)))
);


--
-- Name: TABLE forecasts; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON TABLE derived.forecasts IS 'One-step-ahead forecasts of the 5% quantile of total P&L; the first one for a session counts and is never replaced. Grain: one row per account, effective session and expert. Append only.';


--
-- Name: COLUMN forecasts.account_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.forecasts.account_id IS 'Account, by the name it was issued under; readers follow renames, see renamed_forecasts.';


--
-- Name: COLUMN forecasts.effective_session; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.forecasts.effective_session IS 'Session the limits are for.';


--
-- Name: COLUMN forecasts.expert; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.forecasts.expert IS 'historical, filtered or calibrated (which need no model), prior (from simulated desks); log_scale_ridge, boosted, garch, mixture or model (the calibrated mixture).';


--
-- Name: COLUMN forecasts.run_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.forecasts.run_id IS 'Run that issued it; null = reconstructed when the model was trained.';


--
-- Name: COLUMN forecasts.quantile_05_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.forecasts.quantile_05_usd IS '5% quantile of total P&L, US dollars, negative.';


--
-- Name: COLUMN forecasts.is_live; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.forecasts.is_live IS 'Whether it was issued before the effective session opened.';


--
-- Name: COLUMN forecasts.model_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.forecasts.model_id IS 'Model behind it; null = none.';


--
-- Name: gate_bets; Type: TABLE; Schema: derived; Owner: -
--

CREATE TABLE derived.gate_bets (
    session_date date NOT NULL,
    candidate text NOT NULL,
    opponent text NOT NULL,
    procedure text NOT NULL,
    run_id bigint NOT NULL,
    gain double precision NOT NULL,
    forecast_count integer NOT NULL,
    exceedance_count integer NOT NULL,
    log_wealth double precision NOT NULL,
    log_contrary double precision NOT NULL,
    log_high double precision NOT NULL,
    log_low double precision NOT NULL,
    is_serving boolean NOT NULL,
    CONSTRAINT gate_bets_candidate_check CHECK ((candidate = ANY (ARRAY['filtered'::text, 'model'::text]))),
    CONSTRAINT gate_bets_check CHECK (((exceedance_count >= 0) AND (exceedance_count <= forecast_count))),
    CONSTRAINT gate_bets_forecast_count_check CHECK ((forecast_count > 0)),
    CONSTRAINT gate_bets_opponent_check CHECK ((opponent = ANY (ARRAY['rules'::text, 'historical'::text, 'filtered'::text])))
);


--
-- Name: TABLE gate_bets; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON TABLE derived.gate_bets IS 'Bets of the gate on sessions whose forecasts were issued before the open; the first one on a session counts and is never replaced, whatever is restated. Grain: one row per session and candidate. Append only.';


--
-- Name: COLUMN gate_bets.session_date; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.session_date IS 'Session that was bet on.';


--
-- Name: COLUMN gate_bets.candidate; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.candidate IS 'What shall serve: filtered (filtered historical simulation) or model.';


--
-- Name: COLUMN gate_bets.opponent; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.opponent IS 'What served without it.';


--
-- Name: COLUMN gate_bets.procedure; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.procedure IS 'Hash of what the candidate was made of; a change starts at a wealth of 1.';


--
-- Name: COLUMN gate_bets.run_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.run_id IS 'Run that placed it.';


--
-- Name: COLUMN gate_bets.gain; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.gain IS 'Pinball loss of the opponent less that of the candidate, in own scales.';


--
-- Name: COLUMN gate_bets.forecast_count; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.forecast_count IS 'Forecasts scored.';


--
-- Name: COLUMN gate_bets.exceedance_count; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.exceedance_count IS 'Results below the forecast of the candidate.';


--
-- Name: COLUMN gate_bets.log_wealth; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.log_wealth IS 'Logarithm of the wealth of the bet on the candidate.';


--
-- Name: COLUMN gate_bets.log_contrary; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.log_contrary IS 'Logarithm of the wealth of the bet against it since its promotion.';


--
-- Name: COLUMN gate_bets.log_high; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.log_high IS 'Logarithm of the evidence that more than 5% of results fall below it.';


--
-- Name: COLUMN gate_bets.log_low; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.log_low IS 'Logarithm of the evidence that fewer do.';


--
-- Name: COLUMN gate_bets.is_serving; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.gate_bets.is_serving IS 'Whether the candidate serves after the session.';


--
-- Name: last_fills; Type: TABLE; Schema: derived; Owner: -
--

CREATE TABLE derived.last_fills (
    session_date date NOT NULL,
    symbol text NOT NULL,
    currency text,
    instant bigint NOT NULL,
    tie_rank integer NOT NULL,
    price numeric(18,8) NOT NULL,
    first_instant bigint NOT NULL,
    first_price numeric(18,8) NOT NULL
);


--
-- Name: TABLE last_fills; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON TABLE derived.last_fills IS 'Last and first fill of each symbol and session over all accounts: the last values a position without a mark, the first shows how the symbol opened; fills at 0 count as neither. A cache: rebuilt for a session whenever one of its deliveries changes. Grain: one row per session, symbol and currency.';


--
-- Name: COLUMN last_fills.session_date; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.last_fills.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN last_fills.symbol; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.last_fills.symbol IS 'Symbol as the source writes it, upper case.';


--
-- Name: COLUMN last_fills.currency; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.last_fills.currency IS 'As in fills.';


--
-- Name: COLUMN last_fills.instant; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.last_fills.instant IS 'Time of the last fill, microseconds since 1970 (UTC).';


--
-- Name: COLUMN last_fills.tie_rank; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.last_fills.tie_rank IS 'As in fills; at one instant the greater rank counts, of different accounts then the higher price.';


--
-- Name: COLUMN last_fills.price; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.last_fills.price IS 'Price per unit in the currency.';


--
-- Name: COLUMN last_fills.first_instant; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.last_fills.first_instant IS 'Time of the first fill, as instant.';


--
-- Name: COLUMN last_fills.first_price; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.last_fills.first_price IS 'Its price; at one instant the smaller rank, of different accounts then the lower price.';


--
-- Name: limit_receipts; Type: TABLE; Schema: derived; Owner: -
--

CREATE TABLE derived.limit_receipts (
    account_id text NOT NULL,
    session_date date NOT NULL,
    inputs_sha256 text NOT NULL,
    policy_version text NOT NULL,
    limit_usd numeric(18,2) NOT NULL,
    limit_source text NOT NULL,
    limit_since timestamp with time zone,
    limit_count integer NOT NULL,
    largest_loss_usd numeric NOT NULL,
    largest_loss_at timestamp with time zone,
    loss_from_top_usd numeric NOT NULL,
    use_ratio numeric,
    final_usd numeric NOT NULL,
    outcome text NOT NULL,
    hit_kind text,
    hit_at timestamp with time zone,
    hit_symbol text,
    hit_price numeric,
    hit_before_usd numeric,
    hit_after_usd numeric,
    furthest_usd numeric,
    enlarging_fill_count integer,
    minutes_until_flat numeric,
    breach_reasons text[] NOT NULL,
    CONSTRAINT limit_receipts_check CHECK (((outcome = 'within'::text) = (hit_kind IS NULL))),
    CONSTRAINT limit_receipts_check1 CHECK (((outcome = 'breach'::text) = (breach_reasons <> '{}'::text[]))),
    CONSTRAINT limit_receipts_hit_kind_check CHECK ((hit_kind = ANY (ARRAY['fill'::text, 'gap'::text, 'close'::text, 'limit change'::text]))),
    CONSTRAINT limit_receipts_limit_source_check CHECK ((limit_source = ANY (ARRAY['published'::text, 'emailed'::text, 'base'::text, 'temporary'::text, 'intraday'::text, 'default'::text]))),
    CONSTRAINT limit_receipts_outcome_check CHECK ((outcome = ANY (ARRAY['within'::text, 'hit'::text, 'breach'::text])))
);


--
-- Name: TABLE limit_receipts; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON TABLE derived.limit_receipts IS 'Use of its limit by each account-session, as currently known. A cache: rebuilt from running_lows, fills and limits in force. Grain: one row per account and session whose books are complete. Between own fills the running P&L is not seen: losses are at least what is stated.';


--
-- Name: COLUMN limit_receipts.account_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.account_id IS 'Account.';


--
-- Name: COLUMN limit_receipts.session_date; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN limit_receipts.inputs_sha256; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.inputs_sha256 IS 'Hash of the limits and thresholds the row was made with.';


--
-- Name: COLUMN limit_receipts.policy_version; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.policy_version IS 'Version of the policy whose thresholds apply.';


--
-- Name: COLUMN limit_receipts.limit_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.limit_usd IS 'Limit in force: at the limit hit, else at the largest use, US dollars; 0 = no trading.';


--
-- Name: COLUMN limit_receipts.limit_source; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.limit_source IS 'Where that limit comes from.';


--
-- Name: COLUMN limit_receipts.limit_since; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.limit_since IS 'Since when; null = always.';


--
-- Name: COLUMN limit_receipts.limit_count; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.limit_count IS 'Limits that were in force in turn during the session.';


--
-- Name: COLUMN limit_receipts.largest_loss_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.largest_loss_usd IS 'Largest loss of the running P&L, US dollars, 0 = none.';


--
-- Name: COLUMN limit_receipts.largest_loss_at; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.largest_loss_at IS 'When; null = at the close, no loss, or time unknown.';


--
-- Name: COLUMN limit_receipts.loss_from_top_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.loss_from_top_usd IS 'Largest fall of the running P&L from the day''s top, US dollars.';


--
-- Name: COLUMN limit_receipts.use_ratio; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.use_ratio IS 'Largest loss / limit in force; null = n/a, the limit was 0.';


--
-- Name: COLUMN limit_receipts.final_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.final_usd IS 'P&L at the close, US dollars, gains positive.';


--
-- Name: COLUMN limit_receipts.outcome; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.outcome IS 'within, hit (stopped at the limit) or breach of the limit in force.';


--
-- Name: COLUMN limit_receipts.hit_kind; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.hit_kind IS 'What first reached the limit: a fill, a gap of a carried position, the marks at the close, or a new limit that took effect; null = nothing.';


--
-- Name: COLUMN limit_receipts.hit_at; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.hit_at IS 'When; null = at the close, or time unknown.';


--
-- Name: COLUMN limit_receipts.hit_symbol; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.hit_symbol IS 'Symbol of that fill; null without one.';


--
-- Name: COLUMN limit_receipts.hit_price; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.hit_price IS 'Price of that fill, in its currency.';


--
-- Name: COLUMN limit_receipts.hit_before_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.hit_before_usd IS 'Running P&L before it, US dollars.';


--
-- Name: COLUMN limit_receipts.hit_after_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.hit_after_usd IS 'Running P&L after it, US dollars: what stopping at the first crossing would have made of the session.';


--
-- Name: COLUMN limit_receipts.furthest_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.furthest_usd IS 'Lowest running P&L from then on, US dollars.';


--
-- Name: COLUMN limit_receipts.enlarging_fill_count; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.enlarging_fill_count IS 'Fills after it that opened or enlarged a position.';


--
-- Name: COLUMN limit_receipts.minutes_until_flat; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.minutes_until_flat IS 'Minutes from it until no position was open; null = not by the last fill, or times unknown.';


--
-- Name: COLUMN limit_receipts.breach_reasons; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.limit_receipts.breach_reasons IS 'Why the limit hit is a breach; empty = it is none.';


--
-- Name: positions; Type: TABLE; Schema: derived; Owner: -
--

CREATE TABLE derived.positions (
    account_id text NOT NULL,
    session_date date NOT NULL,
    symbol text NOT NULL,
    currency text NOT NULL,
    quantity numeric NOT NULL,
    average_open_price numeric,
    lots jsonb NOT NULL,
    multiplier numeric(18,8),
    mark_price numeric(18,8),
    mark_source text,
    realized_pnl_usd numeric,
    unrealized_pnl_usd numeric,
    realized_pnl numeric,
    unrealized_pnl numeric,
    rate numeric(18,8),
    rate_source text,
    rate_date date,
    split_ratio text,
    split_quantity numeric DEFAULT 0 NOT NULL,
    expired_quantity numeric DEFAULT 0 NOT NULL,
    side_conflicts integer[],
    CONSTRAINT positions_mark_source_check CHECK ((mark_source = ANY (ARRAY['marks'::text, 'last_fill'::text, 'stale'::text, 'expiry'::text]))),
    CONSTRAINT positions_rate_source_check CHECK ((rate_source = ANY (ARRAY['marks'::text, 'last_fill'::text, 'stale'::text])))
);


--
-- Name: TABLE positions; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON TABLE derived.positions IS 'Positions at the close, as currently known. A cache: rebuilt from fills and marks. Grain: one row per account, session and symbol with an open quantity or a fill.';


--
-- Name: COLUMN positions.account_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.account_id IS 'Account.';


--
-- Name: COLUMN positions.session_date; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN positions.symbol; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.symbol IS 'Symbol as the source writes it, upper case.';


--
-- Name: COLUMN positions.currency; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.currency IS 'Currency of the prices; XXX = several, the account-session is incomplete.';


--
-- Name: COLUMN positions.quantity; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.quantity IS 'Signed quantity at the close, long positive.';


--
-- Name: COLUMN positions.average_open_price; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.average_open_price IS 'Of the open lots, rounded to 8 places; null where flat.';


--
-- Name: COLUMN positions.lots; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.lots IS 'Open lots, oldest first: [[opened_session, signed quantity, price], ...], numbers as exact decimal strings.';


--
-- Name: COLUMN positions.multiplier; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.multiplier IS 'Currency units per point and contract; null = unknown, or a currency without a rate: the account-session is incomplete.';


--
-- Name: COLUMN positions.mark_price; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.mark_price IS 'Price the open quantity is valued at.';


--
-- Name: COLUMN positions.mark_source; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.mark_source IS 'Where mark_price comes from; null where flat; null with an open quantity = no mark: the account-session is incomplete.';


--
-- Name: COLUMN positions.realized_pnl_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.realized_pnl_usd IS 'Gross P&L of quantities closed in the session, US dollars; null = unknown.';


--
-- Name: COLUMN positions.unrealized_pnl_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.unrealized_pnl_usd IS 'Unrealized P&L at the close, US dollars; null = unknown.';


--
-- Name: COLUMN positions.realized_pnl; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.realized_pnl IS 'As realized_pnl_usd, in the currency.';


--
-- Name: COLUMN positions.unrealized_pnl; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.unrealized_pnl IS 'As unrealized_pnl_usd, in the currency.';


--
-- Name: COLUMN positions.rate; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.rate IS 'US dollars for one unit of the currency; null = unknown, the account-session is incomplete.';


--
-- Name: COLUMN positions.rate_source; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.rate_source IS 'Where the spot price behind the rate comes from; null for US dollars.';


--
-- Name: COLUMN positions.rate_date; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.rate_date IS 'Session of that spot price; null for US dollars.';


--
-- Name: COLUMN positions.split_ratio; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.split_ratio IS 'new:old of the session''s split, with its new symbol if it has one; also of those whose new symbol this is.';


--
-- Name: COLUMN positions.split_quantity; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.split_quantity IS 'Signed quantity added by splits and new symbols.';


--
-- Name: COLUMN positions.expired_quantity; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.expired_quantity IS 'Signed quantity added by the expiry.';


--
-- Name: COLUMN positions.side_conflicts; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.positions.side_conflicts IS 'Numbers, in the order of execution, of the fills whose side contradicts the position they met.';


--
-- Name: running_lows; Type: TABLE; Schema: derived; Owner: -
--

CREATE TABLE derived.running_lows (
    account_id text NOT NULL,
    session_date date NOT NULL,
    running_lows_usd numeric[] NOT NULL,
    low_instants timestamp with time zone[] NOT NULL,
    loss_from_top_usd numeric NOT NULL,
    close_usd numeric NOT NULL,
    first_fill_at timestamp with time zone,
    last_fill_at timestamp with time zone
);


--
-- Name: TABLE running_lows; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON TABLE derived.running_lows IS 'Running P&L of each account-session along its own fills: total, net of fees, 0 at the previous close''s marks. A cache: rebuilt from books and fills. Grain: one row per account and session whose books are complete.';


--
-- Name: COLUMN running_lows.account_id; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.running_lows.account_id IS 'Account.';


--
-- Name: COLUMN running_lows.session_date; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.running_lows.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN running_lows.running_lows_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.running_lows.running_lows_usd IS 'New lows of the running P&L as positive losses, US dollars, ascending: any limit is first reached at one of them, or at the close.';


--
-- Name: COLUMN running_lows.low_instants; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.running_lows.low_instants IS 'When each was reached; null elements = time of day unknown.';


--
-- Name: COLUMN running_lows.loss_from_top_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.running_lows.loss_from_top_usd IS 'Largest fall from the day''s top of the running P&L, the close included, US dollars.';


--
-- Name: COLUMN running_lows.close_usd; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.running_lows.close_usd IS 'Total P&L of the session, US dollars.';


--
-- Name: COLUMN running_lows.first_fill_at; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.running_lows.first_fill_at IS 'First fill; null = none, a position was carried through.';


--
-- Name: COLUMN running_lows.last_fill_at; Type: COMMENT; Schema: derived; Owner: -
--

COMMENT ON COLUMN derived.running_lows.last_fill_at IS 'Last fill; null = none.';


--
-- Name: cut_track_records; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.cut_track_records (
    run_id bigint NOT NULL,
    entry_count integer NOT NULL,
    live_count integer NOT NULL,
    cut_count integer NOT NULL,
    session_count integer NOT NULL,
    average_cut_ratio numeric(5,4) NOT NULL,
    prevented_usd numeric NOT NULL,
    forgone_usd numeric NOT NULL,
    net_low_usd numeric(18,2),
    net_high_usd numeric(18,2),
    uniform_prevented_usd numeric NOT NULL,
    uniform_forgone_usd numeric NOT NULL,
    lead_low_usd numeric(18,2),
    lead_high_usd numeric(18,2),
    random_net_usd numeric(18,2) NOT NULL,
    random_deviation_usd numeric(18,2) NOT NULL,
    random_p_value double precision NOT NULL,
    verdict text NOT NULL,
    sentences text[] NOT NULL,
    CONSTRAINT cut_track_records_verdict_check CHECK ((verdict = ANY (ARRAY['nothing'::text, 'too few'::text, 'harm'::text, 'no evidence'::text, 'evidence'::text])))
);


--
-- Name: TABLE cut_track_records; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.cut_track_records IS 'What all past recommendations together had been worth, as a run knew: the cut track record. Grain: one row per run. The task replaces its run''s row.';


--
-- Name: COLUMN cut_track_records.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN cut_track_records.entry_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.entry_count IS 'Recommendations scored.';


--
-- Name: COLUMN cut_track_records.live_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.live_count IS 'Of them, reported before the session opened.';


--
-- Name: COLUMN cut_track_records.cut_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.cut_count IS 'Of them, with a cut.';


--
-- Name: COLUMN cut_track_records.session_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.session_count IS 'Sessions scored.';


--
-- Name: COLUMN cut_track_records.average_cut_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.average_cut_ratio IS 'Average cut, weighted by base limit.';


--
-- Name: COLUMN cut_track_records.prevented_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.prevented_usd IS 'Sum over days on which the cuts helped, US dollars.';


--
-- Name: COLUMN cut_track_records.forgone_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.forgone_usd IS 'Sum over days on which the cuts cost, negative.';


--
-- Name: COLUMN cut_track_records.net_low_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.net_low_usd IS 'Lower end of the 95% interval of the net benefit; null with too few sessions.';


--
-- Name: COLUMN cut_track_records.net_high_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.net_high_usd IS 'Upper end.';


--
-- Name: COLUMN cut_track_records.uniform_prevented_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.uniform_prevented_usd IS 'prevented_usd if every account had been cut by average_cut_ratio.';


--
-- Name: COLUMN cut_track_records.uniform_forgone_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.uniform_forgone_usd IS 'forgone_usd if every account had been cut by average_cut_ratio.';


--
-- Name: COLUMN cut_track_records.lead_low_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.lead_low_usd IS 'Lower end of the 95% interval of the net benefit less that of the uniform cut.';


--
-- Name: COLUMN cut_track_records.lead_high_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.lead_high_usd IS 'Upper end.';


--
-- Name: COLUMN cut_track_records.random_net_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.random_net_usd IS 'Mean net benefit if each session''s cuts were given to its accounts at random.';


--
-- Name: COLUMN cut_track_records.random_deviation_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.random_deviation_usd IS 'Its standard deviation.';


--
-- Name: COLUMN cut_track_records.random_p_value; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.random_p_value IS 'Share of random assignments that did at least as well.';


--
-- Name: COLUMN cut_track_records.verdict; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.verdict IS 'nothing, too few, harm, no evidence or evidence.';


--
-- Name: COLUMN cut_track_records.sentences; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.cut_track_records.sentences IS 'The same for people.';


--
-- Name: desk_correlations; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.desk_correlations (
    run_id bigint NOT NULL,
    account_id text NOT NULL,
    other_account_id text NOT NULL,
    session_count integer NOT NULL,
    correlation_ratio numeric,
    low_ratio numeric,
    high_ratio numeric
);


--
-- Name: TABLE desk_correlations; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.desk_correlations IS 'Rank correlation of the daily results of two accounts over the last 250 sessions, of the 30 accounts with the largest results. Grain: one row per run and pair, the names ascending. The task replaces its run''s rows.';


--
-- Name: COLUMN desk_correlations.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_correlations.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN desk_correlations.account_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_correlations.account_id IS 'First account.';


--
-- Name: COLUMN desk_correlations.other_account_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_correlations.other_account_id IS 'Second account.';


--
-- Name: COLUMN desk_correlations.session_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_correlations.session_count IS 'Sessions in which both traded with complete books.';


--
-- Name: COLUMN desk_correlations.correlation_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_correlations.correlation_ratio IS 'Spearman''s rank correlation, -1 to 1; null with fewer than 20 sessions.';


--
-- Name: COLUMN desk_correlations.low_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_correlations.low_ratio IS 'Lower end of its 95% interval.';


--
-- Name: COLUMN desk_correlations.high_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_correlations.high_ratio IS 'Upper end.';


--
-- Name: desk_findings; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.desk_findings (
    run_id bigint NOT NULL,
    place integer NOT NULL,
    kind text NOT NULL,
    first_session_date date NOT NULL,
    last_session_date date NOT NULL,
    account_id text NOT NULL,
    other_account_ids text[] NOT NULL,
    is_pair boolean NOT NULL,
    symbols text[] NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    observed_count integer NOT NULL,
    expected_count numeric NOT NULL,
    probability numeric NOT NULL,
    false_alarms_per_year numeric NOT NULL,
    is_flagged boolean NOT NULL,
    lag_seconds integer,
    size_ratio numeric,
    same_size_count integer,
    CONSTRAINT desk_findings_kind_check CHECK ((kind = ANY (ARRAY['crowding'::text, 'crossing'::text, 'copying'::text])))
);


--
-- Name: TABLE desk_findings; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.desk_findings IS 'Patterns between traders, of each of the last five sessions and of all five. Grain: one row per run and place; flagged ones first, then the rarest. The task replaces its run''s rows.';


--
-- Name: COLUMN desk_findings.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN desk_findings.place; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.place IS 'From 1.';


--
-- Name: COLUMN desk_findings.kind; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.kind IS 'crowding: enters what at least two others enter within 90 seconds; crossing: opposite sides within a minute; copying: same side with a steady lag of up to four minutes.';


--
-- Name: COLUMN desk_findings.first_session_date; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.first_session_date IS 'First session it covers.';


--
-- Name: COLUMN desk_findings.last_session_date; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.last_session_date IS 'Last session; the same = one session.';


--
-- Name: COLUMN desk_findings.account_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.account_id IS 'Account that was shifted in the null; where one copies, the one who follows.';


--
-- Name: COLUMN desk_findings.other_account_ids; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.other_account_ids IS 'The others, the most frequent first.';


--
-- Name: COLUMN desk_findings.is_pair; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.is_pair IS 'Whether it is of two accounts; else of one and any of the others.';


--
-- Name: COLUMN desk_findings.symbols; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.symbols IS 'Symbols, the most frequent first, at most five.';


--
-- Name: COLUMN desk_findings.first_at; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.first_at IS 'First meeting.';


--
-- Name: COLUMN desk_findings.last_at; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.last_at IS 'Last meeting.';


--
-- Name: COLUMN desk_findings.observed_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.observed_count IS 'Orders of the account that met others.';


--
-- Name: COLUMN desk_findings.expected_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.expected_count IS 'Mean if its orders were shifted by 5 to 60 minutes.';


--
-- Name: COLUMN desk_findings.probability; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.probability IS 'Probability of at least so many under these shifts.';


--
-- Name: COLUMN desk_findings.false_alarms_per_year; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.false_alarms_per_year IS 'Findings as rare as this in a desk-year of independent traders: the probability times all that is looked at.';


--
-- Name: COLUMN desk_findings.is_flagged; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.is_flagged IS 'Whether false_alarms_per_year is at most 0.125.';


--
-- Name: COLUMN desk_findings.lag_seconds; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.lag_seconds IS 'Median lag of a copy.';


--
-- Name: COLUMN desk_findings.size_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.size_ratio IS 'Median of the copy''s size over the original''s.';


--
-- Name: COLUMN desk_findings.same_size_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_findings.same_size_count IS 'Copies whose ratio is within 5% of it.';


--
-- Name: desk_scans; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.desk_scans (
    run_id bigint NOT NULL,
    session_date date NOT NULL,
    account_count integer NOT NULL,
    fill_count integer NOT NULL,
    skipped_fill_count integer NOT NULL,
    self_trade_count integer NOT NULL,
    self_trades_by_chance numeric NOT NULL
);


--
-- Name: TABLE desk_scans; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.desk_scans IS 'What a run looked at for patterns between traders. Grain: one row per run and session, the last five. The task replaces its run''s rows.';


--
-- Name: COLUMN desk_scans.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_scans.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN desk_scans.session_date; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_scans.session_date IS 'Session of the fills.';


--
-- Name: COLUMN desk_scans.account_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_scans.account_count IS 'Accounts with fills that count here.';


--
-- Name: COLUMN desk_scans.fill_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_scans.fill_count IS 'Fills that were compared.';


--
-- Name: COLUMN desk_scans.skipped_fill_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_scans.skipped_fill_count IS 'Fills without a time of day or at a price of 0: not compared.';


--
-- Name: COLUMN desk_scans.self_trade_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_scans.self_trade_count IS 'Pairs of fills that agree in all that the vendor''s rule names; desk_self_trades lists at most 100.';


--
-- Name: COLUMN desk_scans.self_trades_by_chance; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_scans.self_trades_by_chance IS 'So many a desk-year if every trader''s fills were shifted by 5 to 60 minutes.';


--
-- Name: desk_self_trades; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.desk_self_trades (
    run_id bigint NOT NULL,
    place integer NOT NULL,
    session_date date NOT NULL,
    buyer_account_id text NOT NULL,
    seller_account_id text NOT NULL,
    symbol text NOT NULL,
    executed_at timestamp with time zone NOT NULL,
    quantity numeric(18,8) NOT NULL,
    price numeric(18,8) NOT NULL,
    fill_count integer NOT NULL,
    is_volume_known boolean NOT NULL
);


--
-- Name: TABLE desk_self_trades; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.desk_self_trades IS 'Fills of two accounts against each other by the vendor''s rule: same time, price, quantity and destination, fewer than 5 million shares traded in the market. Grain: one row per run and place, at most 100 of a session. The task replaces its run''s rows.';


--
-- Name: COLUMN desk_self_trades.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN desk_self_trades.place; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.place IS 'From 1, by time.';


--
-- Name: COLUMN desk_self_trades.session_date; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.session_date IS 'Session of the fills.';


--
-- Name: COLUMN desk_self_trades.buyer_account_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.buyer_account_id IS 'Account that bought.';


--
-- Name: COLUMN desk_self_trades.seller_account_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.seller_account_id IS 'Account that sold.';


--
-- Name: COLUMN desk_self_trades.symbol; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.symbol IS 'Symbol as in fills.';


--
-- Name: COLUMN desk_self_trades.executed_at; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.executed_at IS 'Second of both fills.';


--
-- Name: COLUMN desk_self_trades.quantity; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.quantity IS 'Shares of each fill.';


--
-- Name: COLUMN desk_self_trades.price; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.price IS 'Price per unit in the currency.';


--
-- Name: COLUMN desk_self_trades.fill_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.fill_count IS 'Pairs of such fills in that second.';


--
-- Name: COLUMN desk_self_trades.is_volume_known; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_self_trades.is_volume_known IS 'False = checked because the market''s volume is unknown.';


--
-- Name: desk_tail_shares; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.desk_tail_shares (
    run_id bigint NOT NULL,
    account_id text NOT NULL,
    limit_usd numeric(18,2) NOT NULL,
    loss_probability numeric(6,5) NOT NULL,
    expected_excess_usd numeric(18,2) NOT NULL,
    shortfall_usd numeric(18,2),
    share_ratio numeric,
    share_low_ratio numeric,
    share_high_ratio numeric,
    relief_usd numeric(18,2),
    scenario_count integer NOT NULL
);


--
-- Name: TABLE desk_tail_shares; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.desk_tail_shares IS 'What each account may lose beyond its limit, and its part of the desk''s tail. Grain: one row per run and account with a limit and a forecast. The task replaces its run''s rows.';


--
-- Name: COLUMN desk_tail_shares.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN desk_tail_shares.account_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.account_id IS 'Account.';


--
-- Name: COLUMN desk_tail_shares.limit_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.limit_usd IS 'Limit that will be in force, US dollars.';


--
-- Name: COLUMN desk_tail_shares.loss_probability; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.loss_probability IS 'Probability of a loss beyond that limit at the close.';


--
-- Name: COLUMN desk_tail_shares.expected_excess_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.expected_excess_usd IS 'Expected loss beyond that limit, US dollars; 0 counts where it is not passed.';


--
-- Name: COLUMN desk_tail_shares.shortfall_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.shortfall_usd IS 'Mean loss in the worst 5% of the desk''s sessions, US dollars; negative = the account earns there; null = too few sessions.';


--
-- Name: COLUMN desk_tail_shares.share_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.share_ratio IS 'Its share of the desk''s expected shortfall; all add up to 1; null where the desk''s worst sessions are no loss.';


--
-- Name: COLUMN desk_tail_shares.share_low_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.share_low_ratio IS 'Lower end of the share''s 95% interval (whole sessions resampled).';


--
-- Name: COLUMN desk_tail_shares.share_high_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.share_high_ratio IS 'Upper end.';


--
-- Name: COLUMN desk_tail_shares.relief_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.relief_usd IS 'What this account''s cut alone takes off the desk''s shortfall at base limits, US dollars; negative = it costs.';


--
-- Name: COLUMN desk_tail_shares.scenario_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tail_shares.scenario_count IS 'Simulated sessions in which the account has a result.';


--
-- Name: desk_tails; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.desk_tails (
    run_id bigint NOT NULL,
    session_count integer NOT NULL,
    account_count integer NOT NULL,
    value_at_risk_usd numeric(18,2),
    expected_shortfall_usd numeric(18,2),
    shortfall_low_usd numeric(18,2),
    shortfall_high_usd numeric(18,2),
    at_base_usd numeric(18,2),
    at_limits_usd numeric(18,2)
);


--
-- Name: TABLE desk_tails; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.desk_tails IS 'What the desk may lose in the effective session, simulated from whole past sessions at the scale of today''s forecasts. Losses are positive, US dollars; amounts are null with fewer than 60 sessions. Grain: one row per run. The task replaces its run''s row.';


--
-- Name: COLUMN desk_tails.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tails.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN desk_tails.session_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tails.session_count IS 'Past sessions simulated, of the last 250.';


--
-- Name: COLUMN desk_tails.account_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tails.account_count IS 'Accounts with a limit and a forecast.';


--
-- Name: COLUMN desk_tails.value_at_risk_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tails.value_at_risk_usd IS '95% value at risk of the desk, at the close.';


--
-- Name: COLUMN desk_tails.expected_shortfall_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tails.expected_shortfall_usd IS 'Mean loss of the worst 5% of sessions; the accounts'' parts in desk_tail_shares add up to it.';


--
-- Name: COLUMN desk_tails.shortfall_low_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tails.shortfall_low_usd IS 'Lower end of its 95% interval (whole sessions resampled).';


--
-- Name: COLUMN desk_tails.shortfall_high_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tails.shortfall_high_usd IS 'Upper end.';


--
-- Name: COLUMN desk_tails.at_base_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tails.at_base_usd IS 'The same if every loss that reaches the account''s base limit ended there, 5% slippage included.';


--
-- Name: COLUMN desk_tails.at_limits_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.desk_tails.at_limits_usd IS 'The same at the recommended limits.';


--
-- Name: explanations; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.explanations (
    run_id bigint NOT NULL,
    account_id text NOT NULL,
    log_loss double precision NOT NULL,
    contributions jsonb NOT NULL,
    sentences text[] NOT NULL
);


--
-- Name: TABLE explanations; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.explanations IS 'Why a forecast is what it is. Grain: one row per run and account. The task replaces its run''s rows.';


--
-- Name: COLUMN explanations.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.explanations.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN explanations.account_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.explanations.account_id IS 'Account.';


--
-- Name: COLUMN explanations.log_loss; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.explanations.log_loss IS 'Logarithm of the forecast loss in US dollars.';


--
-- Name: COLUMN explanations.contributions; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.explanations.contributions IS 'Contribution of each feature or part; they add up to log_loss.';


--
-- Name: COLUMN explanations.sentences; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.explanations.sentences IS 'The same for people.';


--
-- Name: gate_results; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.gate_results (
    run_id bigint NOT NULL,
    model_id bigint,
    serving text NOT NULL,
    is_pass boolean NOT NULL,
    session_count integer NOT NULL,
    forecast_count integer NOT NULL,
    improvement double precision,
    p_value double precision,
    exceedance_rate double precision,
    kupiec_p_value double precision,
    christoffersen_p_value double precision,
    reasons text[] NOT NULL,
    drifts text[] NOT NULL,
    CONSTRAINT gate_results_check CHECK (((model_id IS NOT NULL) OR (serving <> 'model'::text))),
    CONSTRAINT gate_results_serving_check CHECK ((serving = ANY (ARRAY['rules'::text, 'filtered'::text, 'model'::text])))
);


--
-- Name: TABLE gate_results; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.gate_results IS 'What the gate found in a run: whose cuts are recommended. Grain: one row per run. The task replaces its run''s row.';


--
-- Name: COLUMN gate_results.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN gate_results.model_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.model_id IS 'Model that forecasts; null = none could be used, see reasons.';


--
-- Name: COLUMN gate_results.serving; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.serving IS 'Whose cuts are recommended.';


--
-- Name: COLUMN gate_results.is_pass; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.is_pass IS 'Whether the 60-session test passed; it decides nothing.';


--
-- Name: COLUMN gate_results.session_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.session_count IS 'Sessions compared.';


--
-- Name: COLUMN gate_results.forecast_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.forecast_count IS 'Forecasts compared.';


--
-- Name: COLUMN gate_results.improvement; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.improvement IS '1 - loss of the model over loss of the rules in the last 60 sessions; null with fewer.';


--
-- Name: COLUMN gate_results.p_value; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.p_value IS 'Of the hypothesis that the model is no better.';


--
-- Name: COLUMN gate_results.exceedance_rate; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.exceedance_rate IS 'Share of forecasts that were exceeded; 0.05 is expected.';


--
-- Name: COLUMN gate_results.kupiec_p_value; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.kupiec_p_value IS 'Kupiec''s test of the share, whole sessions drawn again.';


--
-- Name: COLUMN gate_results.christoffersen_p_value; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.christoffersen_p_value IS 'Christoffersen''s test of independence; takes accounts for independent.';


--
-- Name: COLUMN gate_results.reasons; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.reasons IS 'Sentences of what decided it.';


--
-- Name: COLUMN gate_results.drifts; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.gate_results.drifts IS 'Sentences about features that have drifted.';


--
-- Name: limit_fits; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.limit_fits (
    run_id bigint NOT NULL,
    account_id text NOT NULL,
    base_limit_usd numeric(18,2) NOT NULL,
    session_count integer NOT NULL,
    stopped_count integer NOT NULL,
    median_use_ratio double precision,
    high_use_ratio double precision,
    largest_use_ratio double precision,
    hit_count integer NOT NULL,
    hit_low_ratio double precision NOT NULL,
    hit_high_ratio double precision NOT NULL,
    value_at_risk_usd numeric(18,2),
    expected_shortfall_usd numeric(18,2),
    loss_probability numeric(6,5),
    band_low_usd numeric(18,2),
    band_high_usd numeric(18,2),
    is_band_open boolean NOT NULL,
    verdict text NOT NULL,
    sentence text NOT NULL,
    warning text NOT NULL,
    proposed_limit_usd numeric(18,2),
    CONSTRAINT limit_fits_check CHECK ((proposed_limit_usd < base_limit_usd)),
    CONSTRAINT limit_fits_verdict_check CHECK ((verdict = ANY (ARRAY['limited history'::text, 'too large'::text, 'never reached'::text, 'fits'::text])))
);


--
-- Name: TABLE limit_fits; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.limit_fits IS 'Whether each active account''s base limit fits its losses, as a run knew: the last 250 sessions whose running P&L is known. Grain: one row per run and account. The task replaces its run''s rows.';


--
-- Name: COLUMN limit_fits.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN limit_fits.account_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.account_id IS 'Account.';


--
-- Name: COLUMN limit_fits.base_limit_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.base_limit_usd IS 'Limit that is reviewed, US dollars.';


--
-- Name: COLUMN limit_fits.session_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.session_count IS 'Sessions reviewed.';


--
-- Name: COLUMN limit_fits.stopped_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.stopped_count IS 'Of them, ended at a limit: the loss would have been at least that.';


--
-- Name: COLUMN limit_fits.median_use_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.median_use_ratio IS 'Median of largest running loss / base limit; 1 = all of it.';


--
-- Name: COLUMN limit_fits.high_use_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.high_use_ratio IS 'Its 95% quantile.';


--
-- Name: COLUMN limit_fits.largest_use_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.largest_use_ratio IS 'Its maximum.';


--
-- Name: COLUMN limit_fits.hit_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.hit_count IS 'Sessions whose largest running loss reached the base limit.';


--
-- Name: COLUMN limit_fits.hit_low_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.hit_low_ratio IS 'Lower end of the 95% interval of their share (blocks of days resampled).';


--
-- Name: COLUMN limit_fits.hit_high_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.hit_high_ratio IS 'Upper end.';


--
-- Name: COLUMN limit_fits.value_at_risk_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.value_at_risk_usd IS 'Forecast 95% value at risk of the effective session, at the close, US dollars; null = no forecast.';


--
-- Name: COLUMN limit_fits.expected_shortfall_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.expected_shortfall_usd IS 'Forecast expected shortfall at 5%, at the close.';


--
-- Name: COLUMN limit_fits.loss_probability; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.loss_probability IS 'Forecast probability of a loss beyond the base limit, at the close.';


--
-- Name: COLUMN limit_fits.band_low_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.band_low_usd IS 'Limit that running losses would reach on 5% of days, US dollars, rounded; null = not known.';


--
-- Name: COLUMN limit_fits.band_high_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.band_high_usd IS 'Limit that they would reach on 1% of days.';


--
-- Name: COLUMN limit_fits.is_band_open; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.is_band_open IS 'Whether the upper end is "at least", because sessions were stopped.';


--
-- Name: COLUMN limit_fits.verdict; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.verdict IS 'limited history, too large (losses), never reached or fits.';


--
-- Name: COLUMN limit_fits.sentence; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.sentence IS 'The same for people.';


--
-- Name: COLUMN limit_fits.warning; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.warning IS 'Sentence if the forecast is likely to pass the limit, else empty.';


--
-- Name: COLUMN limit_fits.proposed_limit_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.limit_fits.proposed_limit_usd IS 'Lower base limit that is proposed; null = none.';


--
-- Name: quality_results; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.quality_results (
    run_id bigint NOT NULL,
    check_name text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    severity text NOT NULL,
    has_passed boolean NOT NULL,
    observed text NOT NULL,
    message text NOT NULL,
    CONSTRAINT quality_results_severity_check CHECK ((severity = ANY (ARRAY['fail'::text, 'warn'::text])))
);


--
-- Name: TABLE quality_results; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.quality_results IS 'Results of a run''s checks, stored before anything fails. Grain: one row per run, check and subject. The task replaces its run''s rows.';


--
-- Name: COLUMN quality_results.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.quality_results.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN quality_results.check_name; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.quality_results.check_name IS 'Name of the check.';


--
-- Name: COLUMN quality_results.subject; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.quality_results.subject IS 'What the result is about, such as an account or a symbol; empty = the session as a whole.';


--
-- Name: COLUMN quality_results.severity; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.quality_results.severity IS 'fail stops the run, warn is reported.';


--
-- Name: COLUMN quality_results.has_passed; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.quality_results.has_passed IS 'Whether the check passed.';


--
-- Name: COLUMN quality_results.observed; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.quality_results.observed IS 'What was measured.';


--
-- Name: COLUMN quality_results.message; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.quality_results.message IS 'The result as a sentence.';


--
-- Name: recommendations; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.recommendations (
    run_id bigint NOT NULL,
    account_id text NOT NULL,
    status text NOT NULL,
    level text NOT NULL,
    cut_ratio numeric(3,2) NOT NULL,
    base_limit_usd numeric(18,2) NOT NULL,
    new_limit_usd numeric(18,2) NOT NULL,
    source text NOT NULL,
    source_version text NOT NULL,
    source_reason text NOT NULL,
    reasons text[] NOT NULL,
    rules_cut_ratio numeric(3,2) NOT NULL,
    model_cut_ratio numeric(3,2),
    forecast_quantile_05_usd numeric,
    active_session_count integer NOT NULL,
    latest_session_date date NOT NULL,
    forecast_fan_usd numeric(18,2)[],
    expected_shortfall_usd numeric(18,2),
    loss_probability numeric(6,5),
    CONSTRAINT recommendations_cut_ratio_check CHECK (((cut_ratio >= (0)::numeric) AND (cut_ratio <= 0.95))),
    CONSTRAINT recommendations_level_check CHECK ((level = ANY (ARRAY['high'::text, 'moderate'::text, 'low'::text]))),
    CONSTRAINT recommendations_source_check CHECK ((source = ANY (ARRAY['rules'::text, 'filtered'::text, 'model'::text]))),
    CONSTRAINT recommendations_status_check CHECK ((status = ANY (ARRAY['active'::text, 'limited history'::text, 'stale'::text])))
);


--
-- Name: TABLE recommendations; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.recommendations IS 'What a run recommends for each active account. Grain: one row per run and account. The task replaces its run''s rows.';


--
-- Name: COLUMN recommendations.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN recommendations.account_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.account_id IS 'Account.';


--
-- Name: COLUMN recommendations.status; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.status IS 'active, limited history or stale.';


--
-- Name: COLUMN recommendations.level; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.level IS 'Risk level of the account.';


--
-- Name: COLUMN recommendations.cut_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.cut_ratio IS 'Recommended cut; 0.40 = 40%.';


--
-- Name: COLUMN recommendations.base_limit_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.base_limit_usd IS 'Limit before the cut, US dollars.';


--
-- Name: COLUMN recommendations.new_limit_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.new_limit_usd IS 'Limit after the cut, US dollars.';


--
-- Name: COLUMN recommendations.source; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.source IS 'What the cut comes from.';


--
-- Name: COLUMN recommendations.source_version; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.source_version IS 'Version of the policy whose rules decided, or of the model.';


--
-- Name: COLUMN recommendations.source_reason; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.source_reason IS 'Why this source is used.';


--
-- Name: COLUMN recommendations.reasons; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.reasons IS 'Sentences behind the cut, strongest first.';


--
-- Name: COLUMN recommendations.rules_cut_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.rules_cut_ratio IS 'Cut by the rules.';


--
-- Name: COLUMN recommendations.model_cut_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.model_cut_ratio IS 'Cut by the model; null = no forecast.';


--
-- Name: COLUMN recommendations.forecast_quantile_05_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.forecast_quantile_05_usd IS '5% quantile of total P&L, US dollars; null = no forecast.';


--
-- Name: COLUMN recommendations.active_session_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.active_session_count IS 'Sessions of the account with fills.';


--
-- Name: COLUMN recommendations.latest_session_date; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.latest_session_date IS 'Newest session of the account.';


--
-- Name: COLUMN recommendations.forecast_fan_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.forecast_fan_usd IS 'Forecast quantiles at 1, 5, 10, 25, 50, 75 and 95%, US dollars, ascending; null = no forecast.';


--
-- Name: COLUMN recommendations.expected_shortfall_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.expected_shortfall_usd IS 'Expected shortfall at 5%, US dollars, a positive loss.';


--
-- Name: COLUMN recommendations.loss_probability; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.recommendations.loss_probability IS 'Probability of a loss beyond the base limit.';


--
-- Name: rule_evidence; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.rule_evidence (
    run_id bigint NOT NULL,
    rule_name text NOT NULL,
    firing_count integer NOT NULL,
    firing_loss_count integer NOT NULL,
    other_count integer NOT NULL,
    other_loss_count integer NOT NULL,
    difference_low_ratio double precision,
    difference_high_ratio double precision,
    verdict text NOT NULL,
    sentence text NOT NULL,
    CONSTRAINT rule_evidence_verdict_check CHECK ((verdict = ANY (ARRAY['too few'::text, 'supports'::text, 'contradicts'::text, 'open'::text])))
);


--
-- Name: TABLE rule_evidence; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.rule_evidence IS 'How often a large loss (beyond 1.5 typical days) followed each rule of the policy on the desk''s own history, as a run knew. Grain: one row per run and rule. The task replaces its run''s rows.';


--
-- Name: COLUMN rule_evidence.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN rule_evidence.rule_name; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.rule_name IS 'Name of the rule in the policy.';


--
-- Name: COLUMN rule_evidence.firing_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.firing_count IS 'Trader-days after the rule fired.';


--
-- Name: COLUMN rule_evidence.firing_loss_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.firing_loss_count IS 'Of them, large losses.';


--
-- Name: COLUMN rule_evidence.other_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.other_count IS 'The other trader-days.';


--
-- Name: COLUMN rule_evidence.other_loss_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.other_loss_count IS 'Of them, large losses.';


--
-- Name: COLUMN rule_evidence.difference_low_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.difference_low_ratio IS 'Lower end of the 95% interval of the difference of the two shares (whole sessions resampled); null with fewer than 30 firings.';


--
-- Name: COLUMN rule_evidence.difference_high_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.difference_high_ratio IS 'Upper end.';


--
-- Name: COLUMN rule_evidence.verdict; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.verdict IS 'too few; supports (interval above 0); contradicts (below 0); open.';


--
-- Name: COLUMN rule_evidence.sentence; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.rule_evidence.sentence IS 'The same for people.';


--
-- Name: tail_effects; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.tail_effects (
    run_id bigint NOT NULL,
    session_count integer NOT NULL,
    day_count integer NOT NULL,
    mean_cut_ratio numeric(6,5),
    equal_ratio numeric,
    equal_low_ratio numeric,
    equal_high_ratio numeric,
    own_ratio numeric,
    own_low_ratio numeric,
    own_high_ratio numeric,
    random_ratio numeric,
    random_p_value double precision,
    sentences text[] NOT NULL
);


--
-- Name: TABLE tail_effects; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.tail_effects IS 'How much smaller the worst 5% of trader-days were under the cuts reported before the open than under controls of the same size, as a run knew; 0.05 = 5% smaller, negative = larger; null with fewer than 120 sessions. Grain: one row per run. The task replaces its run''s row.';


--
-- Name: COLUMN tail_effects.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN tail_effects.session_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.session_count IS 'Sessions with a cut reported before the open and an outcome.';


--
-- Name: COLUMN tail_effects.day_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.day_count IS 'Trader-days in them.';


--
-- Name: COLUMN tail_effects.mean_cut_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.mean_cut_ratio IS 'Mean cut of these trader-days; 0.40 = 40%.';


--
-- Name: COLUMN tail_effects.equal_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.equal_ratio IS 'Against everybody cut by the mean.';


--
-- Name: COLUMN tail_effects.equal_low_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.equal_low_ratio IS 'Lower end of its 95% interval (BCa, blocks of sessions).';


--
-- Name: COLUMN tail_effects.equal_high_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.equal_high_ratio IS 'Upper end.';


--
-- Name: COLUMN tail_effects.own_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.own_ratio IS 'Against each trader cut by his own mean.';


--
-- Name: COLUMN tail_effects.own_low_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.own_low_ratio IS 'Lower end of its 95% interval.';


--
-- Name: COLUMN tail_effects.own_high_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.own_high_ratio IS 'Upper end.';


--
-- Name: COLUMN tail_effects.random_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.random_ratio IS 'Against each session''s cuts given to its accounts at random.';


--
-- Name: COLUMN tail_effects.random_p_value; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.random_p_value IS 'Share of random assignments that did at least as well.';


--
-- Name: COLUMN tail_effects.sentences; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.tail_effects.sentences IS 'The same for people.';


--
-- Name: trader_fits; Type: TABLE; Schema: results; Owner: -
--

CREATE TABLE results.trader_fits (
    run_id bigint NOT NULL,
    trader_name text NOT NULL,
    account_ids text[] NOT NULL,
    base_limit_usd numeric(18,2) NOT NULL,
    session_count integer NOT NULL,
    stopped_count integer NOT NULL,
    close_use_ratio double precision,
    lows_use_ratio double precision,
    close_hit_count integer NOT NULL,
    lows_hit_count integer NOT NULL,
    close_hit_low_ratio double precision NOT NULL,
    lows_hit_high_ratio double precision NOT NULL,
    band_low_usd numeric(18,2),
    band_high_usd numeric(18,2),
    verdict text NOT NULL,
    sentence text NOT NULL,
    CONSTRAINT trader_fits_verdict_check CHECK ((verdict = ANY (ARRAY['limited history'::text, 'too large'::text, 'never reached'::text, 'fits'::text, 'not known'::text])))
);


--
-- Name: TABLE trader_fits; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON TABLE results.trader_fits IS 'Whether the base limits of a trader with several accounts fit his losses together, as a run knew: the last 250 sessions. Grain: one row per run and trader. The task replaces its run''s rows.';


--
-- Name: COLUMN trader_fits.run_id; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN trader_fits.trader_name; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.trader_name IS 'Person who trades the accounts, by the roster.';


--
-- Name: COLUMN trader_fits.account_ids; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.account_ids IS 'His accounts that get a limit, two or more, by name.';


--
-- Name: COLUMN trader_fits.base_limit_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.base_limit_usd IS 'Sum of their base limits, US dollars.';


--
-- Name: COLUMN trader_fits.session_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.session_count IS 'Sessions reviewed: those in which one of them traded, all books complete.';


--
-- Name: COLUMN trader_fits.stopped_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.stopped_count IS 'Of them, an account ended at its limit: the loss would have been at least that.';


--
-- Name: COLUMN trader_fits.close_use_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.close_use_ratio IS 'Largest loss at the close, all accounts added up, over the base limits'' sum; 1 = all of it; null = no session.';


--
-- Name: COLUMN trader_fits.lows_use_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.lows_use_ratio IS 'The same if every account had been at its own low at once: the use is in between.';


--
-- Name: COLUMN trader_fits.close_hit_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.close_hit_count IS 'Sessions whose loss at the close reached the sum.';


--
-- Name: COLUMN trader_fits.lows_hit_count; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.lows_hit_count IS 'Sessions whose added lows reached it: limit hits are in between.';


--
-- Name: COLUMN trader_fits.close_hit_low_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.close_hit_low_ratio IS 'Lower end of the 95% interval of the share of close_hit_count.';


--
-- Name: COLUMN trader_fits.lows_hit_high_ratio; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.lows_hit_high_ratio IS 'Upper end of the 95% interval of the share of lows_hit_count.';


--
-- Name: COLUMN trader_fits.band_low_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.band_low_usd IS 'Limit that the losses at the close would reach on 5% of days, US dollars, rounded; null = not known.';


--
-- Name: COLUMN trader_fits.band_high_usd; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.band_high_usd IS 'Limit that the added lows would reach on 1% of days.';


--
-- Name: COLUMN trader_fits.verdict; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.verdict IS 'limited history, too large (losses), never reached, fits; not known = the two ends give different verdicts.';


--
-- Name: COLUMN trader_fits.sentence; Type: COMMENT; Schema: results; Owner: -
--

COMMENT ON COLUMN results.trader_fits.sentence IS 'The same for people.';


--
-- Name: accounts; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.accounts (
    statement_id bigint NOT NULL,
    load_id bigint NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    valid_from date NOT NULL,
    account_id text NOT NULL,
    display_name text,
    first_traded date,
    last_traded date,
    base_limit_usd numeric(18,2),
    is_disabled boolean,
    former_account_id text,
    group_name text,
    trader_name text,
    recorded_at timestamp with time zone DEFAULT risk.load_instant() NOT NULL,
    CONSTRAINT accounts_base_limit_usd_check CHECK ((base_limit_usd > (0)::numeric))
);


--
-- Name: TABLE accounts; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.accounts IS 'Statements about accounts (name, dates, base limit, former account), each valid until another says otherwise, see current_accounts. Grain: one row per statement. Append only.';


--
-- Name: COLUMN accounts.statement_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.statement_id IS 'Key of the statement, ascending in the order of recording.';


--
-- Name: COLUMN accounts.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN accounts.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.file_name IS 'File the row comes from.';


--
-- Name: COLUMN accounts.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN accounts.valid_from; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.valid_from IS 'First day the statement applies to.';


--
-- Name: COLUMN accounts.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.account_id IS 'Account the statement is about.';


--
-- Name: COLUMN accounts.display_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.display_name IS 'Name for people; null = not stated.';


--
-- Name: COLUMN accounts.first_traded; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.first_traded IS 'First day of trading; null = not stated.';


--
-- Name: COLUMN accounts.last_traded; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.last_traded IS 'Last day of trading; null = not stated.';


--
-- Name: COLUMN accounts.base_limit_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.base_limit_usd IS 'Daily loss limit before any cut, US dollars; null = not stated.';


--
-- Name: COLUMN accounts.is_disabled; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.is_disabled IS 'Whether the account is disabled; null = not stated.';


--
-- Name: COLUMN accounts.former_account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.former_account_id IS 'Former account whose sessions before valid_from are this one''s history; the account itself withdraws a rename.';


--
-- Name: COLUMN accounts.group_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.group_name IS 'Group of the account, whose values in the policy may differ; null = not stated.';


--
-- Name: COLUMN accounts.trader_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.trader_name IS 'Person who trades the account, where one trades several; null = not stated.';


--
-- Name: COLUMN accounts.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.accounts.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: accounts_statement_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.accounts ALTER COLUMN statement_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.accounts_statement_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: adjustments; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.adjustments (
    adjustment_id bigint NOT NULL,
    load_id bigint NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    session_date date NOT NULL,
    account_id text NOT NULL,
    offset_account_id text,
    category text NOT NULL,
    amount_usd numeric(18,8) NOT NULL,
    comment text NOT NULL,
    recorded_at timestamp with time zone DEFAULT risk.load_instant() NOT NULL,
    CONSTRAINT adjustments_check CHECK ((offset_account_id <> account_id))
);


--
-- Name: TABLE adjustments; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.adjustments IS 'Cash booked to accounts beside trading (deposits, data fees, ...); no part of any P&L. Grain: one row per statement. Append only. The current ones of an account and session as of an instant: all of its newest load.';


--
-- Name: COLUMN adjustments.adjustment_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.adjustment_id IS 'Key of the statement.';


--
-- Name: COLUMN adjustments.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN adjustments.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.file_name IS 'File the row comes from.';


--
-- Name: COLUMN adjustments.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN adjustments.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN adjustments.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.account_id IS 'Account that is credited (positive) or debited.';


--
-- Name: COLUMN adjustments.offset_account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.offset_account_id IS 'Account that is booked the opposite amount, if any.';


--
-- Name: COLUMN adjustments.category; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.category IS 'The vendor''s category.';


--
-- Name: COLUMN adjustments.amount_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.amount_usd IS 'US dollars, positive = credit to account_id; 0 withdraws what was booked before.';


--
-- Name: COLUMN adjustments.comment; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.comment IS 'The vendor''s comment.';


--
-- Name: COLUMN adjustments.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.adjustments.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: adjustments_adjustment_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.adjustments ALTER COLUMN adjustment_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.adjustments_adjustment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: alarms; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.alarms (
    kind text NOT NULL,
    dag_id text NOT NULL,
    dag_run_id text NOT NULL,
    clear_number integer NOT NULL,
    subject text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT alarms_kind_check CHECK ((kind = ANY (ARRAY['failure'::text, 'recovery'::text, 'lateness'::text])))
);


--
-- Name: TABLE alarms; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.alarms IS 'Alert mails that were sent, so that each is sent once. Grain: one row per kind of alert, Airflow run and clearing of it. Append only.';


--
-- Name: COLUMN alarms.kind; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.alarms.kind IS 'failure, recovery or lateness.';


--
-- Name: COLUMN alarms.dag_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.alarms.dag_id IS 'Airflow''s DAG.';


--
-- Name: COLUMN alarms.dag_run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.alarms.dag_run_id IS 'Airflow''s run.';


--
-- Name: COLUMN alarms.clear_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.alarms.clear_number IS 'How often the Airflow run had been cleared.';


--
-- Name: COLUMN alarms.subject; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.alarms.subject IS 'Subject of the mail.';


--
-- Name: COLUMN alarms.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.alarms.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: audit_log; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.audit_log (
    audit_id bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    event text NOT NULL,
    dag_id text NOT NULL,
    dag_run_id text NOT NULL,
    task_id text NOT NULL,
    try_number integer NOT NULL,
    session_date date,
    error_class text NOT NULL,
    message text NOT NULL,
    log_lines text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT audit_log_event_check CHECK ((event = ANY (ARRAY['failure'::text, 'refused request'::text, 'withdrawal'::text, 'withdrawal undone'::text, 'notifier'::text])))
);


--
-- Name: TABLE audit_log; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.audit_log IS 'Failures of tasks as they were known at that moment, which the failure mail quotes, requests by hand for what does not exist, withdrawals of deliveries, and notifiers that failed. Grain: one row per event; a task that fails at three attempts leaves three. Append only.';


--
-- Name: COLUMN audit_log.audit_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.audit_id IS 'Key of the event.';


--
-- Name: COLUMN audit_log.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: COLUMN audit_log.event; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.event IS 'Kind of event.';


--
-- Name: COLUMN audit_log.dag_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.dag_id IS 'Airflow''s DAG; empty for a command.';


--
-- Name: COLUMN audit_log.dag_run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.dag_run_id IS 'Airflow''s run; empty for a command.';


--
-- Name: COLUMN audit_log.task_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.task_id IS 'Airflow''s task, or the command; "notifier" for a notifier.';


--
-- Name: COLUMN audit_log.try_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.try_number IS 'Attempt of the task.';


--
-- Name: COLUMN audit_log.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.session_date IS 'Session of the run; null where the failure came before it was known.';


--
-- Name: COLUMN audit_log.error_class; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.error_class IS 'Class of the error; empty where Airflow gave only a message.';


--
-- Name: COLUMN audit_log.message; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.message IS 'The error''s message, without the secrets that Airflow knows.';


--
-- Name: COLUMN audit_log.log_lines; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.audit_log.log_lines IS 'Last lines of the task''s log, oldest first, at most 50, as the machine that ran the task wrote them. None for a task that was killed, and for commands.';


--
-- Name: audit_log_audit_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.audit_log ALTER COLUMN audit_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.audit_log_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: calendars; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.calendars (
    is_only boolean DEFAULT true NOT NULL,
    calendar_code text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT calendars_is_only_check CHECK (is_only)
);


--
-- Name: TABLE calendars; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.calendars IS 'The exchange whose sessions this warehouse keeps; another one is refused. Grain: one row, once a run has started. Append only.';


--
-- Name: COLUMN calendars.is_only; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.calendars.is_only IS 'Always true: there is one row.';


--
-- Name: COLUMN calendars.calendar_code; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.calendars.calendar_code IS 'Code of the calendar in the package exchange_calendars.';


--
-- Name: COLUMN calendars.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.calendars.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: chain_links; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.chain_links (
    sequence bigint NOT NULL,
    format_number integer NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    row_count bigint NOT NULL,
    content_sha256 text NOT NULL,
    previous_sha256 text NOT NULL,
    link_sha256 text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT chain_links_row_count_check CHECK ((row_count > 0)),
    CONSTRAINT chain_links_sequence_check CHECK ((sequence > 0))
);


--
-- Name: TABLE chain_links; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.chain_links IS 'The chain: a link for each row of the linked tables, written in the row''s transaction by link_rows. Mails name the newest link, so that mailboxes witness all rows before it; riskctl verify compares. Grain: one row per linked row, or per statement that loads many. Append only; the pipeline''s role only reads it.';


--
-- Name: COLUMN chain_links.sequence; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.chain_links.sequence IS '1, 2, ... without gaps.';


--
-- Name: COLUMN chain_links.format_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.chain_links.format_number IS 'How the hashes are computed; 1 = see risk.core.verify.';


--
-- Name: COLUMN chain_links.kind; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.chain_links.kind IS 'Table of the row.';


--
-- Name: COLUMN chain_links.subject; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.chain_links.subject IS 'Key of the row; of rows that one statement loads the first and last key, joined by a hyphen.';


--
-- Name: COLUMN chain_links.row_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.chain_links.row_count IS 'Rows it links.';


--
-- Name: COLUMN chain_links.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.chain_links.content_sha256 IS 'SHA-256 of the row''s canonical JSON; of rows that one statement loads, of their hashes in the order of their keys.';


--
-- Name: COLUMN chain_links.previous_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.chain_links.previous_sha256 IS 'Hash of the previous link; 64 zeros for the first.';


--
-- Name: COLUMN chain_links.link_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.chain_links.link_sha256 IS 'SHA-256 of the canonical JSON of the columns above and recorded_at.';


--
-- Name: COLUMN chain_links.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.chain_links.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: corrections; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.corrections (
    delivery_id bigint NOT NULL,
    line_number bigint NOT NULL,
    account_id text NOT NULL,
    session_date date NOT NULL,
    executed_at timestamp with time zone NOT NULL,
    tie_rank integer NOT NULL,
    kind text NOT NULL,
    fill_key text NOT NULL,
    order_id text,
    side text NOT NULL,
    quantity numeric(18,8) NOT NULL,
    symbol text NOT NULL,
    price numeric(18,8) NOT NULL,
    currency text,
    fees_usd numeric(18,8) NOT NULL,
    CONSTRAINT corrections_kind_check CHECK ((kind = ANY (ARRAY['canceled'::text, 'corrected'::text]))),
    CONSTRAINT corrections_price_check CHECK ((price >= (0)::numeric)),
    CONSTRAINT corrections_quantity_check CHECK ((quantity > (0)::numeric)),
    CONSTRAINT corrections_side_check CHECK ((side = ANY (ARRAY['B'::text, 'S'::text, 'T'::text, 'C'::text])))
);


--
-- Name: TABLE corrections; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.corrections IS 'Cancels, busts and corrections of executions, typed and valid, as one delivery brought them. Grain: one row per session, delivery and line. Append only.';


--
-- Name: COLUMN corrections.delivery_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.delivery_id IS 'Delivery that brought the correction.';


--
-- Name: COLUMN corrections.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN corrections.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.account_id IS 'Account as the source names it.';


--
-- Name: COLUMN corrections.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.session_date IS 'Session of the correction; the fill may be of an earlier one.';


--
-- Name: COLUMN corrections.executed_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.executed_at IS 'Time that the row states: of several corrections the latest holds.';


--
-- Name: COLUMN corrections.tie_rank; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.tie_rank IS 'Place among the delivery''s corrections of the same id and instant, from 0, by line.';


--
-- Name: COLUMN corrections.kind; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.kind IS 'canceled: the fill never counts. corrected: side, quantity, symbol, price and fees of this row count instead.';


--
-- Name: COLUMN corrections.fill_key; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.fill_key IS 'Key of the corrected fill, see applied_corrections.';


--
-- Name: COLUMN corrections.order_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.order_id IS 'Order of the corrected fill; null where the source does not say it.';


--
-- Name: COLUMN corrections.side; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.side IS 'As in fills.';


--
-- Name: COLUMN corrections.quantity; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.quantity IS 'As in fills.';


--
-- Name: COLUMN corrections.symbol; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.symbol IS 'Symbol as the source writes it, upper case.';


--
-- Name: COLUMN corrections.price; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.price IS 'As in fills.';


--
-- Name: COLUMN corrections.currency; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.currency IS 'As in fills.';


--
-- Name: COLUMN corrections.fees_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.corrections.fees_usd IS 'As in fills.';


--
-- Name: deliveries; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.deliveries (
    delivery_id bigint NOT NULL,
    load_id bigint NOT NULL,
    file_name text NOT NULL,
    account_id text NOT NULL,
    session_date date NOT NULL,
    content_sha256 text NOT NULL,
    published_at timestamp with time zone,
    recorded_at timestamp with time zone DEFAULT risk.load_instant() NOT NULL,
    row_count bigint NOT NULL,
    loaded_count bigint NOT NULL,
    rejected_count bigint NOT NULL,
    duplicate_count bigint NOT NULL,
    lost_count bigint DEFAULT 0 NOT NULL,
    stated_count bigint,
    note text,
    CONSTRAINT deliveries_check CHECK ((lost_count <= rejected_count)),
    CONSTRAINT deliveries_check1 CHECK ((row_count = ((loaded_count + rejected_count) + duplicate_count)))
);


--
-- Name: TABLE deliveries; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.deliveries IS 'What a source delivered for one account and session; a newer delivery replaces the older one as a whole, see current_deliveries. Grain: one row per delivery. Append only.';


--
-- Name: COLUMN deliveries.delivery_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.delivery_id IS 'Key of the delivery.';


--
-- Name: COLUMN deliveries.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN deliveries.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.file_name IS 'File the row comes from.';


--
-- Name: COLUMN deliveries.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.account_id IS 'Account as the source names it.';


--
-- Name: COLUMN deliveries.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN deliveries.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.content_sha256 IS 'SHA-256 of the delivery''s rows, independent of the file; their order counts only for rows of one instant without ids.';


--
-- Name: COLUMN deliveries.published_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.published_at IS 'When the source published it; null where the source does not say.';


--
-- Name: COLUMN deliveries.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: COLUMN deliveries.row_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.row_count IS 'Rows delivered; the sum of the three counts below.';


--
-- Name: COLUMN deliveries.loaded_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.loaded_count IS 'Rows that became fills.';


--
-- Name: COLUMN deliveries.rejected_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.rejected_count IS 'Rows that are invalid, see fill_rejects.';


--
-- Name: COLUMN deliveries.duplicate_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.duplicate_count IS 'Rows that repeat another row of the delivery.';


--
-- Name: COLUMN deliveries.lost_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.lost_count IS 'Rejected rows that may be executions; above 0 the account-session is incomplete.';


--
-- Name: COLUMN deliveries.stated_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.stated_count IS 'Rows that the manifest states, where the delivery has fewer or more: the account-session is incomplete. Null = as many, or not stated.';


--
-- Name: COLUMN deliveries.note; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.deliveries.note IS 'What somebody should know of the delivery, such as rows that repeat others, as sentences; null = nothing.';


--
-- Name: deliveries_delivery_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.deliveries ALTER COLUMN delivery_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.deliveries_delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: digests; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.digests (
    through_date date NOT NULL,
    database_bytes bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE digests; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.digests IS 'Weekly digests that were mailed. Grain: one row per week. Append only.';


--
-- Name: COLUMN digests.through_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.digests.through_date IS 'Last day of the week.';


--
-- Name: COLUMN digests.database_bytes; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.digests.database_bytes IS 'Size of the database at that time; its growth is the difference.';


--
-- Name: COLUMN digests.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.digests.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: excerpt_deliveries; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.excerpt_deliveries (
    run_id bigint NOT NULL,
    group_name text NOT NULL,
    recipient text NOT NULL,
    message_id text NOT NULL,
    attempt_count integer DEFAULT 0 NOT NULL,
    last_error text,
    answer text,
    sent_at timestamp with time zone
);


--
-- Name: TABLE excerpt_deliveries; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.excerpt_deliveries IS 'Mails of the excerpt of a report for a group of the policy, recorded like those of the report. They put no limit in force. Grain: one row per run, group and recipient.';


--
-- Name: COLUMN excerpt_deliveries.run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.excerpt_deliveries.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN excerpt_deliveries.group_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.excerpt_deliveries.group_name IS 'Group, as the policy writes it.';


--
-- Name: COLUMN excerpt_deliveries.recipient; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.excerpt_deliveries.recipient IS 'Email address.';


--
-- Name: COLUMN excerpt_deliveries.message_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.excerpt_deliveries.message_id IS 'Message-ID of the mail, the same for every attempt.';


--
-- Name: COLUMN excerpt_deliveries.attempt_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.excerpt_deliveries.attempt_count IS 'Attempts so far.';


--
-- Name: COLUMN excerpt_deliveries.last_error; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.excerpt_deliveries.last_error IS 'Error of the last failed attempt.';


--
-- Name: COLUMN excerpt_deliveries.answer; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.excerpt_deliveries.answer IS 'Answer with which the server accepted it; null = not yet.';


--
-- Name: COLUMN excerpt_deliveries.sent_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.excerpt_deliveries.sent_at IS 'When the server accepted it; null = not yet.';


--
-- Name: fill_rejects; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.fill_rejects (
    load_id bigint NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    delivery_id bigint,
    account_id text,
    session_date date,
    raw_text text NOT NULL,
    reason text NOT NULL,
    cause text NOT NULL,
    is_reference boolean DEFAULT false NOT NULL
);


--
-- Name: TABLE fill_rejects; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.fill_rejects IS 'Rows that could not be loaded, with their raw text and the reason, so that nothing a source sends is lost. Grain: one row per load, file and line. Append only.';


--
-- Name: COLUMN fill_rejects.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN fill_rejects.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.file_name IS 'File the row comes from.';


--
-- Name: COLUMN fill_rejects.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN fill_rejects.delivery_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.delivery_id IS 'Delivery the row belongs to; null where the row does not identify one.';


--
-- Name: COLUMN fill_rejects.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.account_id IS 'Account of the row, where it names one.';


--
-- Name: COLUMN fill_rejects.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.session_date IS 'Session of the row, where it names one.';


--
-- Name: COLUMN fill_rejects.raw_text; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.raw_text IS 'The row as the source sent it.';


--
-- Name: COLUMN fill_rejects.reason; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.reason IS 'What is wrong with the row, as a sentence.';


--
-- Name: COLUMN fill_rejects.cause; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.cause IS 'What the reason has in common with those of other rows, without their values: rows are counted by it.';


--
-- Name: COLUMN fill_rejects.is_reference; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fill_rejects.is_reference IS 'Whether the row is one of a reference file, not of executions.';


--
-- Name: fills; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.fills (
    delivery_id bigint NOT NULL,
    line_number bigint NOT NULL,
    account_id text NOT NULL,
    session_date date NOT NULL,
    executed_at timestamp with time zone NOT NULL,
    is_time_unknown boolean NOT NULL,
    tie_rank integer NOT NULL,
    side text NOT NULL,
    quantity numeric(18,8) NOT NULL,
    symbol text NOT NULL,
    price numeric(18,8) NOT NULL,
    currency text,
    fees_usd numeric(18,8) NOT NULL,
    fill_key text,
    order_id text,
    route text,
    CONSTRAINT fills_price_check CHECK ((price >= (0)::numeric)),
    CONSTRAINT fills_quantity_check CHECK ((quantity > (0)::numeric)),
    CONSTRAINT fills_side_check CHECK ((side = ANY (ARRAY['B'::text, 'S'::text, 'T'::text, 'C'::text])))
);


--
-- Name: TABLE fills; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.fills IS 'Executions, typed and valid, as one delivery brought them. Grain: one row per session_date, delivery_id and line_number. Append only.';


--
-- Name: COLUMN fills.delivery_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.delivery_id IS 'Delivery that brought the fill.';


--
-- Name: COLUMN fills.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN fills.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.account_id IS 'Account as the source names it; current_fills gives the present name.';


--
-- Name: COLUMN fills.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.session_date IS 'Session of the execution.';


--
-- Name: COLUMN fills.executed_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.executed_at IS 'When the order was executed; the session''s close where is_time_unknown.';


--
-- Name: COLUMN fills.is_time_unknown; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.is_time_unknown IS 'Whether the source gives no time of day.';


--
-- Name: COLUMN fills.tie_rank; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.tie_rank IS 'Place among the delivery''s fills of the same instant, from 0: by id, order id and, without an id, line.';


--
-- Name: COLUMN fills.side; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.side IS 'B buy, S sell, T sell short, C buy to cover.';


--
-- Name: COLUMN fills.quantity; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.quantity IS 'Shares or contracts, positive.';


--
-- Name: COLUMN fills.symbol; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.symbol IS 'Symbol as the source writes it, upper case.';


--
-- Name: COLUMN fills.price; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.price IS 'Price per unit in the currency; 0 = expired, assigned or given.';


--
-- Name: COLUMN fills.currency; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.currency IS 'ISO code; null = the instrument''s own, see instruments.';


--
-- Name: COLUMN fills.fees_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.fees_usd IS 'Fees in US dollars, positive = cost, negative = rebate.';


--
-- Name: COLUMN fills.fill_key; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.fill_key IS 'The vendor''s id, else the fill id; with order id and symbol unique within an account and session, unless it is the order id. Null where the source gives none.';


--
-- Name: COLUMN fills.order_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.order_id IS 'Order the execution belongs to; null where the source does not say it.';


--
-- Name: COLUMN fills.route; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.fills.route IS 'Destination of the order, upper case; null where the source does not say it.';


--
-- Name: instruments; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.instruments (
    instrument_id bigint NOT NULL,
    load_id bigint NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    valid_from date NOT NULL,
    symbol text NOT NULL,
    multiplier numeric(18,8),
    currency text,
    recorded_at timestamp with time zone DEFAULT risk.load_instant() NOT NULL,
    CONSTRAINT instruments_check CHECK (((multiplier IS NOT NULL) OR (currency IS NOT NULL))),
    CONSTRAINT instruments_multiplier_check CHECK ((multiplier > (0)::numeric))
);


--
-- Name: TABLE instruments; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.instruments IS 'Statements about an instrument from a day on. Grain: one row per statement. Append only. The current one for a day as of an instant: of those with recorded_at <= as_of and valid_from <= day, the greatest (valid_from, instrument_id) that states the fact.';


--
-- Name: COLUMN instruments.instrument_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.instruments.instrument_id IS 'Key of the statement, ascending in the order of recording.';


--
-- Name: COLUMN instruments.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.instruments.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN instruments.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.instruments.file_name IS 'File the row comes from.';


--
-- Name: COLUMN instruments.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.instruments.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN instruments.valid_from; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.instruments.valid_from IS 'First day the statement applies to.';


--
-- Name: COLUMN instruments.symbol; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.instruments.symbol IS 'Symbol as the source writes it, upper case.';


--
-- Name: COLUMN instruments.multiplier; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.instruments.multiplier IS 'Currency units per point and contract; null = not stated.';


--
-- Name: COLUMN instruments.currency; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.instruments.currency IS 'ISO code; null = not stated.';


--
-- Name: COLUMN instruments.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.instruments.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: instruments_instrument_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.instruments ALTER COLUMN instrument_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.instruments_instrument_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: limit_breach_entries; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.limit_breach_entries (
    entry_id bigint NOT NULL,
    account_id text NOT NULL,
    session_date date NOT NULL,
    action text NOT NULL,
    reason text,
    sentence text NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT limit_breach_entries_action_check CHECK ((action = ANY (ARRAY['closed'::text, 'reopened'::text]))),
    CONSTRAINT limit_breach_entries_check CHECK (((action = 'closed'::text) = (reason IS NOT NULL))),
    CONSTRAINT limit_breach_entries_reason_check CHECK ((reason = ANY (ARRAY['limit not set on the platform'::text, 'platform''s stop late or off'::text, 'traded on'::text, 'agreed in advance'::text, 'gap or illiquid'::text, 'data error'::text, 'trader spoken to'::text, 'other'::text]))),
    CONSTRAINT limit_breach_entries_sentence_check CHECK ((sentence <> ''::text)),
    CONSTRAINT limit_breach_entries_user_id_check CHECK ((user_id <> ''::text))
);


--
-- Name: TABLE limit_breach_entries; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.limit_breach_entries IS 'What persons logged in to Airflow entered about breaches. The newest entry of an account-session counts: a later one corrects or reopens. Grain: one row per entry. Append only.';


--
-- Name: COLUMN limit_breach_entries.entry_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breach_entries.entry_id IS 'Key of the entry.';


--
-- Name: COLUMN limit_breach_entries.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breach_entries.account_id IS 'Account of the breach.';


--
-- Name: COLUMN limit_breach_entries.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breach_entries.session_date IS 'Session of the breach.';


--
-- Name: COLUMN limit_breach_entries.action; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breach_entries.action IS 'closed or reopened.';


--
-- Name: COLUMN limit_breach_entries.reason; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breach_entries.reason IS 'Why it is closed; null = it is reopened.';


--
-- Name: COLUMN limit_breach_entries.sentence; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breach_entries.sentence IS 'Explanation in the words of the person.';


--
-- Name: COLUMN limit_breach_entries.user_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breach_entries.user_id IS 'Airflow''s id of the person.';


--
-- Name: COLUMN limit_breach_entries.user_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breach_entries.user_name IS 'Name of the person.';


--
-- Name: COLUMN limit_breach_entries.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breach_entries.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: limit_breach_entries_entry_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.limit_breach_entries ALTER COLUMN entry_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.limit_breach_entries_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: limit_breaches; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.limit_breaches (
    breach_id bigint NOT NULL,
    run_id bigint NOT NULL,
    account_id text NOT NULL,
    session_date date NOT NULL,
    is_breach boolean NOT NULL,
    limit_usd numeric(18,2) NOT NULL,
    largest_loss_usd numeric NOT NULL,
    final_usd numeric NOT NULL,
    breach_reasons text[] NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT limit_breaches_check CHECK ((is_breach = (breach_reasons <> '{}'::text[])))
);


--
-- Name: TABLE limit_breaches; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.limit_breaches IS 'Breaches of limits as runs found them, of every session in the books, and breaches that a restatement has removed. The newest row of an account-session counts. A breach is an open item once a report of its session was mailed, see limit_breach_entries. Grain: one row per account-session and change. Append only.';


--
-- Name: COLUMN limit_breaches.breach_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.breach_id IS 'Key of the row.';


--
-- Name: COLUMN limit_breaches.run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.run_id IS 'Run that found it.';


--
-- Name: COLUMN limit_breaches.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.account_id IS 'Account.';


--
-- Name: COLUMN limit_breaches.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.session_date IS 'Session of the breach.';


--
-- Name: COLUMN limit_breaches.is_breach; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.is_breach IS 'Whether the limit was broken; false = restated, the session is no longer a breach.';


--
-- Name: COLUMN limit_breaches.limit_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.limit_usd IS 'Limit in force, US dollars; 0 = no trading.';


--
-- Name: COLUMN limit_breaches.largest_loss_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.largest_loss_usd IS 'Largest loss of the running P&L, US dollars.';


--
-- Name: COLUMN limit_breaches.final_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.final_usd IS 'P&L at the close, US dollars, gains positive.';


--
-- Name: COLUMN limit_breaches.breach_reasons; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.breach_reasons IS 'Why it is a breach; empty = it is none any more.';


--
-- Name: COLUMN limit_breaches.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_breaches.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: limit_breaches_breach_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.limit_breaches ALTER COLUMN breach_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.limit_breaches_breach_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: limit_change_decisions; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.limit_change_decisions (
    change_id bigint NOT NULL,
    action text NOT NULL,
    seen_sha256 text NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT limit_change_decisions_action_check CHECK ((action = ANY (ARRAY['approved'::text, 'rejected'::text]))),
    CONSTRAINT limit_change_decisions_seen_sha256_check CHECK ((seen_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT limit_change_decisions_user_id_check CHECK ((user_id <> ''::text))
);


--
-- Name: TABLE limit_change_decisions; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.limit_change_decisions IS 'Decisions about limit changes, by persons logged in to Airflow. Grain: at most one row per change. Append only.';


--
-- Name: COLUMN limit_change_decisions.change_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_change_decisions.change_id IS 'Change it decides.';


--
-- Name: COLUMN limit_change_decisions.action; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_change_decisions.action IS 'approved or rejected; without a row the change is pending.';


--
-- Name: COLUMN limit_change_decisions.seen_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_change_decisions.seen_sha256 IS 'Hash of what the person was shown: the change, the limit it replaces, whether it needs a second person.';


--
-- Name: COLUMN limit_change_decisions.user_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_change_decisions.user_id IS 'Airflow''s id of the person.';


--
-- Name: COLUMN limit_change_decisions.user_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_change_decisions.user_name IS 'Name of the person.';


--
-- Name: COLUMN limit_change_decisions.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_change_decisions.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: limit_changes; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.limit_changes (
    change_id bigint NOT NULL,
    account_id text NOT NULL,
    kind text NOT NULL,
    limit_usd numeric(18,2) NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    reason text NOT NULL,
    requested_by text NOT NULL,
    requester_name text NOT NULL,
    needs_second_person boolean NOT NULL,
    replaces bigint,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT limit_changes_check CHECK (((limit_usd > (0)::numeric) OR ((limit_usd = (0)::numeric) AND (kind <> 'base'::text)))),
    CONSTRAINT limit_changes_check1 CHECK (((kind = 'base'::text) = (ends_at IS NULL))),
    CONSTRAINT limit_changes_check2 CHECK ((ends_at > starts_at)),
    CONSTRAINT limit_changes_kind_check CHECK ((kind = ANY (ARRAY['base'::text, 'temporary'::text, 'intraday'::text]))),
    CONSTRAINT limit_changes_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT limit_changes_requested_by_check CHECK ((requested_by <> ''::text))
);


--
-- Name: TABLE limit_changes; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.limit_changes IS 'Register of limit changes that persons asked for; they act once approved, see limit_change_decisions. Base limits of accounts files are in accounts. Grain: one row per change. Append only.';


--
-- Name: COLUMN limit_changes.change_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.change_id IS 'Key of the change.';


--
-- Name: COLUMN limit_changes.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.account_id IS 'Account.';


--
-- Name: COLUMN limit_changes.kind; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.kind IS 'base = from a session on; temporary = from an instant until another; intraday = until the end of the day.';


--
-- Name: COLUMN limit_changes.limit_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.limit_usd IS 'Daily loss limit asked for, US dollars; 0 = no trading, not as a base limit.';


--
-- Name: COLUMN limit_changes.starts_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.starts_at IS 'When it begins; a base limit at 00:00 of a session in the exchange''s zone. It never acts before its approval.';


--
-- Name: COLUMN limit_changes.ends_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.ends_at IS 'When it has ended; null = a base limit, until the next one.';


--
-- Name: COLUMN limit_changes.reason; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.reason IS 'Why, in the words of the person.';


--
-- Name: COLUMN limit_changes.requested_by; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.requested_by IS 'Who asked: Airflow''s id of the person, or user@host of the command line.';


--
-- Name: COLUMN limit_changes.requester_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.requester_name IS 'Name of the person.';


--
-- Name: COLUMN limit_changes.needs_second_person; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.needs_second_person IS 'Whether the requester may not approve it: dual control, or a change above the policy''s largest.';


--
-- Name: COLUMN limit_changes.replaces; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.replaces IS 'Change that this one ends when it takes effect; null = none.';


--
-- Name: COLUMN limit_changes.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_changes.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: limit_changes_change_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.limit_changes ALTER COLUMN change_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.limit_changes_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: limit_decisions; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.limit_decisions (
    decision_id bigint NOT NULL,
    publication_id bigint NOT NULL,
    account_id text NOT NULL,
    action text NOT NULL,
    limit_usd numeric(18,2) NOT NULL,
    reason text NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    seen_sha256 text,
    shown_at timestamp with time zone,
    carried_from bigint,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT limit_decisions_action_check CHECK ((action = ANY (ARRAY['edited'::text, 'approved'::text, 'rejected'::text, 'timed_out'::text, 'not_required'::text]))),
    CONSTRAINT limit_decisions_check CHECK (((action <> 'edited'::text) OR ((reason <> ''::text) AND (user_id <> ''::text)))),
    CONSTRAINT limit_decisions_check1 CHECK (((action = ANY (ARRAY['edited'::text, 'approved'::text, 'rejected'::text])) = (user_id <> ''::text))),
    CONSTRAINT limit_decisions_check2 CHECK (((user_id <> ''::text) = (seen_sha256 IS NOT NULL))),
    CONSTRAINT limit_decisions_limit_usd_check CHECK ((limit_usd > (0)::numeric)),
    CONSTRAINT limit_decisions_seen_sha256_check CHECK ((seen_sha256 ~ '^[0-9a-f]{64}$'::text))
);


--
-- Name: TABLE limit_decisions; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.limit_decisions IS 'Decisions about the recommended limits, by people or by the deadline. Grain: any number of edits and then at most one outcome per publication and account. Append only.';


--
-- Name: COLUMN limit_decisions.decision_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.decision_id IS 'Key of the decision.';


--
-- Name: COLUMN limit_decisions.publication_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.publication_id IS 'Publication it belongs to.';


--
-- Name: COLUMN limit_decisions.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.account_id IS 'Account.';


--
-- Name: COLUMN limit_decisions.action; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.action IS 'edited = another limit is proposed; outcomes: approved, rejected, timed_out (deadline passed), not_required (no approval required).';


--
-- Name: COLUMN limit_decisions.limit_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.limit_usd IS 'Limit that comes into force by it, US dollars; of an edit the one that is proposed.';


--
-- Name: COLUMN limit_decisions.reason; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.reason IS 'Reason given; required for an edit.';


--
-- Name: COLUMN limit_decisions.user_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.user_id IS 'Airflow''s id of the person; empty = the deadline or the policy.';


--
-- Name: COLUMN limit_decisions.user_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.user_name IS 'Name of the person.';


--
-- Name: COLUMN limit_decisions.seen_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.seen_sha256 IS 'Hash of the proposal that the person was shown; null where no person decided.';


--
-- Name: COLUMN limit_decisions.shown_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.shown_at IS 'When the page that the person decided on was shown.';


--
-- Name: COLUMN limit_decisions.carried_from; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.carried_from IS 'First decision, about an earlier report of the session, that this row repeats for a report that recommends the same; null = decided here.';


--
-- Name: COLUMN limit_decisions.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.limit_decisions.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: limit_decisions_decision_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.limit_decisions ALTER COLUMN decision_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.limit_decisions_decision_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: loads; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.loads (
    load_id bigint NOT NULL,
    source text NOT NULL,
    is_simulated boolean NOT NULL,
    through_session_date date NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    is_history boolean DEFAULT false NOT NULL
);


--
-- Name: TABLE loads; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.loads IS 'Loads of a source: each reads its files or query results once and commits what is new. Grain: one row per load. Append only.';


--
-- Name: COLUMN loads.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.loads.load_id IS 'Key of the load.';


--
-- Name: COLUMN loads.source; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.loads.source IS 'Where it read: folder, query or vendor API.';


--
-- Name: COLUMN loads.is_simulated; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.loads.is_simulated IS 'Whether the source is the simulated desk.';


--
-- Name: COLUMN loads.through_session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.loads.through_session_date IS 'Last session loaded; rows of later sessions are deferred.';


--
-- Name: COLUMN loads.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.loads.recorded_at IS 'When the load was recorded.';


--
-- Name: COLUMN loads.is_history; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.loads.is_history IS 'Whether the load backdates a bulk import: its deliveries count from when the source published them.';


--
-- Name: loads_load_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.loads ALTER COLUMN load_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.loads_load_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: marks; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.marks (
    mark_id bigint NOT NULL,
    load_id bigint NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    session_date date NOT NULL,
    symbol text NOT NULL,
    price numeric(18,8),
    volume numeric(18,8),
    currency text,
    multiplier numeric(18,8),
    recorded_at timestamp with time zone DEFAULT risk.load_instant() NOT NULL,
    CONSTRAINT marks_multiplier_check CHECK ((multiplier > (0)::numeric)),
    CONSTRAINT marks_price_check CHECK ((price > (0)::numeric))
);


--
-- Name: TABLE marks; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.marks IS 'Closing prices that a source gave for a session. Grain: one row per statement. Append only. The current mark as of an instant: the greatest mark_id with recorded_at <= as_of.';


--
-- Name: COLUMN marks.mark_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.mark_id IS 'Key of the statement, ascending in the order of recording.';


--
-- Name: COLUMN marks.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN marks.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.file_name IS 'File the row comes from.';


--
-- Name: COLUMN marks.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN marks.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN marks.symbol; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.symbol IS 'Symbol as the source writes it, upper case.';


--
-- Name: COLUMN marks.price; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.price IS 'Closing price in the currency; null = the source says there is none.';


--
-- Name: COLUMN marks.volume; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.volume IS 'Traded volume of the session, where given.';


--
-- Name: COLUMN marks.currency; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.currency IS 'ISO code; null = the instrument''s own.';


--
-- Name: COLUMN marks.multiplier; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.multiplier IS 'US dollars or currency units per point and contract, where given.';


--
-- Name: COLUMN marks.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.marks.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: marks_mark_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.marks ALTER COLUMN mark_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.marks_mark_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: model_versions; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.model_versions (
    model_id bigint NOT NULL,
    content_sha256 text NOT NULL,
    artefact text NOT NULL,
    first_session_date date NOT NULL,
    last_session_date date NOT NULL,
    pair_count integer NOT NULL,
    card jsonb NOT NULL,
    dag_run_id text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE model_versions; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.model_versions IS 'Trained models. Grain: one row per artifact. Append only. A damaged artifact is stored again by the same training; the damaged row stays as evidence.';


--
-- Name: COLUMN model_versions.model_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.model_versions.model_id IS 'Key of the model.';


--
-- Name: COLUMN model_versions.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.model_versions.content_sha256 IS 'SHA-256 of the artifact, checked before every use.';


--
-- Name: COLUMN model_versions.artefact; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.model_versions.artefact IS 'The model as canonical JSON; nothing else is ever loaded.';


--
-- Name: COLUMN model_versions.first_session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.model_versions.first_session_date IS 'Oldest session it was trained on.';


--
-- Name: COLUMN model_versions.last_session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.model_versions.last_session_date IS 'Newest session it was trained on; it forecasts later sessions only.';


--
-- Name: COLUMN model_versions.pair_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.model_versions.pair_count IS 'Account-sessions it was trained on.';


--
-- Name: COLUMN model_versions.card; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.model_versions.card IS 'Measurements of the training, shown on the model''s page and in its mail.';


--
-- Name: COLUMN model_versions.dag_run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.model_versions.dag_run_id IS 'Airflow''s run.';


--
-- Name: COLUMN model_versions.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.model_versions.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: model_versions_model_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.model_versions ALTER COLUMN model_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.model_versions_model_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: notes; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.notes (
    note_id bigint NOT NULL,
    account_id text,
    session_date date,
    sentence text NOT NULL,
    corrects bigint,
    user_id text NOT NULL,
    user_name text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT notes_account_id_check CHECK ((account_id <> ''::text)),
    CONSTRAINT notes_check CHECK (((account_id IS NOT NULL) OR (session_date IS NOT NULL))),
    CONSTRAINT notes_sentence_check CHECK (((sentence <> ''::text) AND (length(sentence) <= 2000))),
    CONSTRAINT notes_user_id_check CHECK ((user_id <> ''::text))
);


--
-- Name: TABLE notes; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.notes IS 'What persons logged in to Airflow noted about a trader, a day of his, or a day of the desk. A later note corrects an earlier one, which stays. Grain: one row per note. Append only.';


--
-- Name: COLUMN notes.note_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.notes.note_id IS 'Key of the note.';


--
-- Name: COLUMN notes.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.notes.account_id IS 'Account; null = the note is about a day of the whole desk.';


--
-- Name: COLUMN notes.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.notes.session_date IS 'Session; null = the note is about the trader, not one day of his.';


--
-- Name: COLUMN notes.sentence; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.notes.sentence IS 'The note in the words of the person, on one line.';


--
-- Name: COLUMN notes.corrects; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.notes.corrects IS 'Earlier note about the same that this one corrects; null = none.';


--
-- Name: COLUMN notes.user_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.notes.user_id IS 'Airflow''s id of the person.';


--
-- Name: COLUMN notes.user_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.notes.user_name IS 'Name of the person.';


--
-- Name: COLUMN notes.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.notes.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: notes_note_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.notes ALTER COLUMN note_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.notes_note_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: platform_limits; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.platform_limits (
    statement_id bigint NOT NULL,
    account_id text NOT NULL,
    limit_usd numeric(18,2) NOT NULL,
    stated_for date,
    load_id bigint,
    file_name text,
    line_number bigint,
    user_id text,
    user_name text,
    recorded_at timestamp with time zone DEFAULT risk.load_instant() NOT NULL,
    CONSTRAINT platform_limits_check CHECK (((file_name IS NULL) <> (user_id IS NULL))),
    CONSTRAINT platform_limits_check1 CHECK (((file_name IS NULL) = (stated_for IS NULL))),
    CONSTRAINT platform_limits_limit_usd_check CHECK ((limit_usd >= (0)::numeric))
);


--
-- Name: TABLE platform_limits; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.platform_limits IS 'Limits that the trading platform has: read back from it, or entered there by a person. Grain: one row per statement. Append only.';


--
-- Name: COLUMN platform_limits.statement_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.statement_id IS 'Key of the statement, ascending in the order of recording.';


--
-- Name: COLUMN platform_limits.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.account_id IS 'Account as the platform names it.';


--
-- Name: COLUMN platform_limits.limit_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.limit_usd IS 'Daily loss limit on the platform, US dollars; 0 = no trading.';


--
-- Name: COLUMN platform_limits.stated_for; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.stated_for IS 'Day in the exchange''s zone that a read-back file is about; null for a person''s statement.';


--
-- Name: COLUMN platform_limits.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.load_id IS 'Load that recorded a file''s row; null for a person''s statement.';


--
-- Name: COLUMN platform_limits.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.file_name IS 'File the row comes from; null for a person''s statement.';


--
-- Name: COLUMN platform_limits.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN platform_limits.user_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.user_id IS 'Airflow''s id of the person; null for a file.';


--
-- Name: COLUMN platform_limits.user_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.user_name IS 'Name of the person.';


--
-- Name: COLUMN platform_limits.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.platform_limits.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: platform_limits_statement_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.platform_limits ALTER COLUMN statement_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.platform_limits_statement_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: policies; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.policies (
    version integer NOT NULL,
    policy_text text NOT NULL,
    content_sha256 text NOT NULL,
    valid_from date,
    author text NOT NULL,
    reason text NOT NULL,
    approver text,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT policies_author_check CHECK ((author <> ''::text)),
    CONSTRAINT policies_check CHECK (((version = 0) = (valid_from IS NULL))),
    CONSTRAINT policies_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT policies_version_check CHECK ((version >= 0))
);


--
-- Name: TABLE policies; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.policies IS 'Adopted policies: every threshold a risk manager may change. A run uses the newest version that is valid from its effective session or earlier and was recorded by its as_of; version 0, stored at set-up, is known at all times. Grain: one row per version. Append only.';


--
-- Name: COLUMN policies.version; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policies.version IS '0 at set-up, then 1, 2, ... in the order of adoption.';


--
-- Name: COLUMN policies.policy_text; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policies.policy_text IS 'The policy as written, YAML.';


--
-- Name: COLUMN policies.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policies.content_sha256 IS 'SHA-256 of the text.';


--
-- Name: COLUMN policies.valid_from; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policies.valid_from IS 'First effective session it applies to; null = version 0, all sessions.';


--
-- Name: COLUMN policies.author; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policies.author IS 'Who asked for it: name of the person logged in to Airflow, or user and machine of the command line.';


--
-- Name: COLUMN policies.reason; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policies.reason IS 'Why, in the author''s words.';


--
-- Name: COLUMN policies.approver; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policies.approver IS 'Second person who approved it; null = none was required.';


--
-- Name: COLUMN policies.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policies.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: policy_request_decisions; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.policy_request_decisions (
    request_id bigint NOT NULL,
    action text NOT NULL,
    seen_sha256 text NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT policy_request_decisions_action_check CHECK ((action = ANY (ARRAY['approved'::text, 'rejected'::text]))),
    CONSTRAINT policy_request_decisions_seen_sha256_check CHECK ((seen_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT policy_request_decisions_user_id_check CHECK ((user_id <> ''::text))
);


--
-- Name: TABLE policy_request_decisions; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.policy_request_decisions IS 'Decisions about requests to adopt a policy, by persons logged in to Airflow. Grain: at most one row per request. Append only.';


--
-- Name: COLUMN policy_request_decisions.request_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_request_decisions.request_id IS 'Request it decides.';


--
-- Name: COLUMN policy_request_decisions.action; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_request_decisions.action IS 'approved = it became a version of policies; rejected; without a row the request is pending.';


--
-- Name: COLUMN policy_request_decisions.seen_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_request_decisions.seen_sha256 IS 'Hash of what the person was shown: the policy, its first session, the reason and the version it replaces.';


--
-- Name: COLUMN policy_request_decisions.user_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_request_decisions.user_id IS 'Airflow''s id of the person.';


--
-- Name: COLUMN policy_request_decisions.user_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_request_decisions.user_name IS 'Name of the person.';


--
-- Name: COLUMN policy_request_decisions.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_request_decisions.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: policy_requests; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.policy_requests (
    request_id bigint NOT NULL,
    policy_text text NOT NULL,
    content_sha256 text NOT NULL,
    valid_from date NOT NULL,
    reason text NOT NULL,
    requested_by text NOT NULL,
    requester_name text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT policy_requests_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT policy_requests_requested_by_check CHECK ((requested_by <> ''::text))
);


--
-- Name: TABLE policy_requests; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.policy_requests IS 'Policies that persons asked to adopt under dual control; a version once a second person approved, see policy_request_decisions. Grain: one row per request. Append only.';


--
-- Name: COLUMN policy_requests.request_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_requests.request_id IS 'Key of the request.';


--
-- Name: COLUMN policy_requests.policy_text; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_requests.policy_text IS 'The policy as written, YAML.';


--
-- Name: COLUMN policy_requests.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_requests.content_sha256 IS 'SHA-256 of the text.';


--
-- Name: COLUMN policy_requests.valid_from; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_requests.valid_from IS 'First effective session it shall apply to.';


--
-- Name: COLUMN policy_requests.reason; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_requests.reason IS 'Why, in the words of the person.';


--
-- Name: COLUMN policy_requests.requested_by; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_requests.requested_by IS 'Who asked: Airflow''s id of the person, or user@host of the command line.';


--
-- Name: COLUMN policy_requests.requester_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_requests.requester_name IS 'Name of the person.';


--
-- Name: COLUMN policy_requests.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_requests.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: policy_requests_request_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.policy_requests ALTER COLUMN request_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.policy_requests_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: policy_trial_outcomes; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.policy_trial_outcomes (
    outcome_id bigint NOT NULL,
    trial_number bigint NOT NULL,
    facts jsonb NOT NULL,
    dag_run_id text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE policy_trial_outcomes; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.policy_trial_outcomes IS 'What a trial changes on past mornings and what became of it, as computed in a DAG run with the books of that instant; exploratory. Grain: one row per computation; the newest of a trial is shown. Append only.';


--
-- Name: COLUMN policy_trial_outcomes.outcome_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trial_outcomes.outcome_id IS 'Key of the outcome.';


--
-- Name: COLUMN policy_trial_outcomes.trial_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trial_outcomes.trial_number IS 'Trial.';


--
-- Name: COLUMN policy_trial_outcomes.facts; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trial_outcomes.facts IS 'As riskctl policy what-if --json prints them; of very many changes the first.';


--
-- Name: COLUMN policy_trial_outcomes.dag_run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trial_outcomes.dag_run_id IS 'Airflow''s name of the run that computed it.';


--
-- Name: COLUMN policy_trial_outcomes.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trial_outcomes.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: policy_trial_outcomes_outcome_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.policy_trial_outcomes ALTER COLUMN outcome_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.policy_trial_outcomes_outcome_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: policy_trials; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.policy_trials (
    trial_number bigint NOT NULL,
    trial_sha256 text NOT NULL,
    policy_text text NOT NULL,
    content_sha256 text NOT NULL,
    first_session date NOT NULL,
    last_session date NOT NULL,
    author text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT policy_trials_author_check CHECK ((author <> ''::text)),
    CONSTRAINT policy_trials_check CHECK ((first_session <= last_session)),
    CONSTRAINT policy_trials_trial_number_check CHECK ((trial_number > 0))
);


--
-- Name: TABLE policy_trials; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.policy_trials IS 'Policies that were tried on past mornings, sealed before anything was computed: the same policy and range are the same trial. Nothing of a result is stored. Grain: one row per trial. Append only.';


--
-- Name: COLUMN policy_trials.trial_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trials.trial_number IS '1, 2, ... in the order of sealing.';


--
-- Name: COLUMN policy_trials.trial_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trials.trial_sha256 IS 'SHA-256 of the policy''s text and the range.';


--
-- Name: COLUMN policy_trials.policy_text; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trials.policy_text IS 'The policy as written, YAML.';


--
-- Name: COLUMN policy_trials.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trials.content_sha256 IS 'SHA-256 of the policy''s text.';


--
-- Name: COLUMN policy_trials.first_session; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trials.first_session IS 'First effective session of the range.';


--
-- Name: COLUMN policy_trials.last_session; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trials.last_session IS 'Last effective session of the range.';


--
-- Name: COLUMN policy_trials.author; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trials.author IS 'Who tried it: user and machine of the command line.';


--
-- Name: COLUMN policy_trials.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_trials.recorded_at IS 'When it was sealed (committed): only later mornings count for its verdict.';


--
-- Name: policy_verdicts; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.policy_verdicts (
    verdict_id bigint NOT NULL,
    content_sha256 text NOT NULL,
    facts jsonb NOT NULL,
    dag_run_id text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE policy_verdicts; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.policy_verdicts IS 'Verdicts on the policies of trials, from mornings after each was sealed, as computed in a DAG run. Grain: one row per policy and computation; the newest of a policy is shown. Append only.';


--
-- Name: COLUMN policy_verdicts.verdict_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_verdicts.verdict_id IS 'Key of the verdict.';


--
-- Name: COLUMN policy_verdicts.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_verdicts.content_sha256 IS 'SHA-256 of the policy''s text; the verdict is that of all its trials.';


--
-- Name: COLUMN policy_verdicts.facts; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_verdicts.facts IS 'Wealth and what is needed, sessions since it was sealed, since when it is better, and the wealth after each session.';


--
-- Name: COLUMN policy_verdicts.dag_run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_verdicts.dag_run_id IS 'Airflow''s name of the run that computed it.';


--
-- Name: COLUMN policy_verdicts.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.policy_verdicts.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: policy_verdicts_verdict_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.policy_verdicts ALTER COLUMN verdict_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.policy_verdicts_verdict_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: publication_deliveries; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.publication_deliveries (
    publication_id bigint NOT NULL,
    kind text NOT NULL,
    recipient text NOT NULL,
    message_id text NOT NULL,
    attempt_count integer DEFAULT 0 NOT NULL,
    last_error text,
    answer text,
    sent_at timestamp with time zone,
    CONSTRAINT publication_deliveries_kind_check CHECK ((kind = ANY (ARRAY['reminder'::text, 'limits'::text])))
);


--
-- Name: TABLE publication_deliveries; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.publication_deliveries IS 'Mails about a publication, recorded like those of the report: the reminder to the stand-in, and what is in force. Grain: one row per publication, kind and recipient.';


--
-- Name: COLUMN publication_deliveries.publication_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publication_deliveries.publication_id IS 'Publication the row belongs to.';


--
-- Name: COLUMN publication_deliveries.kind; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publication_deliveries.kind IS 'reminder = to the stand-in, that limits wait for an answer; limits = the mail Limits in force.';


--
-- Name: COLUMN publication_deliveries.recipient; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publication_deliveries.recipient IS 'Email address.';


--
-- Name: COLUMN publication_deliveries.message_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publication_deliveries.message_id IS 'Message-ID of the newest attempt, the same as long as its text is.';


--
-- Name: COLUMN publication_deliveries.attempt_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publication_deliveries.attempt_count IS 'Attempts so far.';


--
-- Name: COLUMN publication_deliveries.last_error; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publication_deliveries.last_error IS 'Error of the last failed attempt.';


--
-- Name: COLUMN publication_deliveries.answer; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publication_deliveries.answer IS 'Answer with which the server accepted it; null = not yet.';


--
-- Name: COLUMN publication_deliveries.sent_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publication_deliveries.sent_at IS 'When the server accepted it; null = not yet.';


--
-- Name: publications; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.publications (
    publication_id bigint NOT NULL,
    run_id bigint NOT NULL,
    effective_session date NOT NULL,
    approval_scope text NOT NULL,
    has_dual_control boolean NOT NULL,
    decision_deadline timestamp with time zone NOT NULL,
    is_live boolean NOT NULL,
    dag_run_id text NOT NULL,
    stand_in_names text,
    stand_in_from timestamp with time zone,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT publications_approval_scope_check CHECK ((approval_scope = ANY (ARRAY['high'::text, 'all'::text])))
);


--
-- Name: TABLE publications; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.publications IS 'Requests to publish the limits of a run, opened by the DAG publish_limits. Grain: one row per run. Append only.';


--
-- Name: COLUMN publications.publication_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.publication_id IS 'Key of the publication.';


--
-- Name: COLUMN publications.run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN publications.effective_session; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.effective_session IS 'Session the limits are for.';


--
-- Name: COLUMN publications.approval_scope; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.approval_scope IS 'Which limits need approval: high = traders of level high, all = every trader with a cut; the others are published as recommended.';


--
-- Name: COLUMN publications.has_dual_control; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.has_dual_control IS 'Whether a second person must approve an edited limit.';


--
-- Name: COLUMN publications.decision_deadline; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.decision_deadline IS 'From then on the recommended limit applies.';


--
-- Name: COLUMN publications.is_live; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.is_live IS 'Whether the session had not ended when the request was opened; only live limits reach the trading platform.';


--
-- Name: COLUMN publications.dag_run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.dag_run_id IS 'Airflow''s run.';


--
-- Name: COLUMN publications.stand_in_names; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.stand_in_names IS 'Logins, separated by a comma and a blank, that may decide from then on only; null = nobody stands in.';


--
-- Name: COLUMN publications.stand_in_from; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.stand_in_from IS 'From then on the stand-in may decide, and is reminded of what waits for an answer; null = nobody stands in.';


--
-- Name: COLUMN publications.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.publications.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: publications_publication_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.publications ALTER COLUMN publication_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.publications_publication_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: published_limits; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.published_limits (
    publication_id bigint NOT NULL,
    account_id text NOT NULL,
    effective_session date NOT NULL,
    base_limit_usd numeric(18,2) NOT NULL,
    recommended_limit_usd numeric(18,2) NOT NULL,
    decided_limit_usd numeric(18,2) NOT NULL,
    limit_usd numeric(18,2) NOT NULL,
    reason text NOT NULL,
    decision_id bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT published_limits_limit_usd_check CHECK ((limit_usd > (0)::numeric))
);


--
-- Name: TABLE published_limits; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.published_limits IS 'Limits in force from a session on: what was decided, less what a gradual restoration holds back. Grain: one row per publication and account. Append only.';


--
-- Name: COLUMN published_limits.publication_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.publication_id IS 'Publication it belongs to.';


--
-- Name: COLUMN published_limits.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.account_id IS 'Account.';


--
-- Name: COLUMN published_limits.effective_session; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.effective_session IS 'Session the limits are for.';


--
-- Name: COLUMN published_limits.base_limit_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.base_limit_usd IS 'Limit before any cut, US dollars.';


--
-- Name: COLUMN published_limits.recommended_limit_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.recommended_limit_usd IS 'Limit that the run recommended.';


--
-- Name: COLUMN published_limits.decided_limit_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.decided_limit_usd IS 'Limit that was decided.';


--
-- Name: COLUMN published_limits.limit_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.limit_usd IS 'Limit in force.';


--
-- Name: COLUMN published_limits.reason; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.reason IS 'Why this limit, as a sentence.';


--
-- Name: COLUMN published_limits.decision_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.decision_id IS 'Outcome behind it; names the link, which names no account.';


--
-- Name: COLUMN published_limits.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.published_limits.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: report_deliveries; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.report_deliveries (
    run_id bigint NOT NULL,
    recipient text NOT NULL,
    message_id text NOT NULL,
    attempt_count integer DEFAULT 0 NOT NULL,
    last_error text,
    answer text,
    sent_at timestamp with time zone
);


--
-- Name: TABLE report_deliveries; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.report_deliveries IS 'Mails of a report: stored before the first attempt, marked as sent once the mail server accepted it. Grain: one row per run and recipient.';


--
-- Name: COLUMN report_deliveries.run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_deliveries.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN report_deliveries.recipient; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_deliveries.recipient IS 'Email address.';


--
-- Name: COLUMN report_deliveries.message_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_deliveries.message_id IS 'Message-ID of the mail, the same for every attempt.';


--
-- Name: COLUMN report_deliveries.attempt_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_deliveries.attempt_count IS 'Attempts so far.';


--
-- Name: COLUMN report_deliveries.last_error; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_deliveries.last_error IS 'Error of the last failed attempt.';


--
-- Name: COLUMN report_deliveries.answer; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_deliveries.answer IS 'Answer with which the server accepted it; null = not yet.';


--
-- Name: COLUMN report_deliveries.sent_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_deliveries.sent_at IS 'When the server accepted it; null = not yet.';


--
-- Name: report_digests; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.report_digests (
    run_id bigint NOT NULL,
    format_number integer NOT NULL,
    report_sha256 text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT report_digests_report_sha256_check CHECK ((report_sha256 ~ '^[0-9a-f]{64}$'::text))
);


--
-- Name: TABLE report_digests; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.report_digests IS 'Digests of reports as mails state them: the root of a tree with a salted leaf per account, so that one account can be shown and proven without the others. Apart from reports, so that its link can be shown, too. A report without a row is of format 1, and its digest is the SHA-256 of its facts. Grain: one row per run. Append only.';


--
-- Name: COLUMN report_digests.run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_digests.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN report_digests.format_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_digests.format_number IS 'How the digest is computed; 2 = see risk.report.digest_tree.';


--
-- Name: COLUMN report_digests.report_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_digests.report_sha256 IS 'Root of the tree: the identity of the report.';


--
-- Name: COLUMN report_digests.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_digests.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: report_parts; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.report_parts (
    run_id bigint NOT NULL,
    part_name text NOT NULL,
    media_type text NOT NULL,
    content bytea NOT NULL,
    content_sha256 text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE report_parts; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.report_parts IS 'Rendered report of a run: mail, page, tables and charts; files on disk are copies. Grain: one row per run and part. Append only.';


--
-- Name: COLUMN report_parts.run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_parts.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN report_parts.part_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_parts.part_name IS 'File name of the part, such as report.html, mail.eml, limits.csv or a chart''s name.';


--
-- Name: COLUMN report_parts.media_type; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_parts.media_type IS 'Media type of the bytes, such as text/html or image/png.';


--
-- Name: COLUMN report_parts.content; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_parts.content IS 'Bytes of the part.';


--
-- Name: COLUMN report_parts.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_parts.content_sha256 IS 'SHA-256 of the bytes.';


--
-- Name: COLUMN report_parts.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.report_parts.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: reports; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.reports (
    run_id bigint NOT NULL,
    facts text NOT NULL,
    facts_sha256 text NOT NULL,
    salt text,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT reports_salt_check CHECK ((salt ~ '^[0-9a-f]{64}$'::text))
);


--
-- Name: TABLE reports; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.reports IS 'Facts that a run reported, as canonical JSON. Grain: one row per run. Append only: a second send_report of the run must build the same bytes.';


--
-- Name: COLUMN reports.run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.reports.run_id IS 'Run the row belongs to.';


--
-- Name: COLUMN reports.facts; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.reports.facts IS 'Canonical JSON; money as exact decimal strings.';


--
-- Name: COLUMN reports.facts_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.reports.facts_sha256 IS 'SHA-256 of the facts; the digest that mails state is in report_digests.';


--
-- Name: COLUMN reports.salt; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.reports.salt IS 'Secret of the report''s digest, drawn once: whoever has it can try out what the leaf of an account says. Null = format 1.';


--
-- Name: COLUMN reports.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.reports.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: restores; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.restores (
    restore_id bigint NOT NULL,
    head_sequence bigint NOT NULL,
    replaced_sequence bigint,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE restores; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.restores IS 'Restores of this warehouse from a backup: what was recorded after the backup is missing. Grain: one row per restore. Append only; a restore writes it as the owner, the pipeline''s role only reads it.';


--
-- Name: COLUMN restores.restore_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.restores.restore_id IS 'Key of the restore.';


--
-- Name: COLUMN restores.head_sequence; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.restores.head_sequence IS 'Number of the newest link in the backup; 0 = none.';


--
-- Name: COLUMN restores.replaced_sequence; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.restores.replaced_sequence IS 'Largest number of a link of the warehouse that was replaced, or of one that this had replaced; null = not known.';


--
-- Name: COLUMN restores.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.restores.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: restores_restore_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.restores ALTER COLUMN restore_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.restores_restore_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: runs; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.runs (
    run_id bigint NOT NULL,
    session_date date NOT NULL,
    effective_session date NOT NULL,
    revision integer NOT NULL,
    as_of timestamp with time zone NOT NULL,
    load_id bigint NOT NULL,
    dag_run_id text NOT NULL,
    code_version text NOT NULL,
    is_point_in_time boolean DEFAULT false NOT NULL,
    tests_sha256 text
);


--
-- Name: TABLE runs; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.runs IS 'Runs of the pipeline: each answers what is known about a session as of an instant. Grain: one row per session and revision. Append only.';


--
-- Name: COLUMN runs.run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.run_id IS 'Key of the run.';


--
-- Name: COLUMN runs.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.session_date IS 'Session whose fills are processed.';


--
-- Name: COLUMN runs.effective_session; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.effective_session IS 'The next session: the one the limits are for.';


--
-- Name: COLUMN runs.revision; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.revision IS '1 for the first run of the session, then 2, 3, ...';


--
-- Name: COLUMN runs.as_of; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.as_of IS 'The run knows inputs recorded until then.';


--
-- Name: COLUMN runs.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.load_id IS 'Load that preceded the run.';


--
-- Name: COLUMN runs.dag_run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.dag_run_id IS 'Airflow''s run.';


--
-- Name: COLUMN runs.code_version; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.code_version IS 'Content hash of the code that ran.';


--
-- Name: COLUMN runs.is_point_in_time; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.is_point_in_time IS 'Whether the run was asked what was known at an earlier instant. Its books live in the schema run_<run_id> until its report; no other run builds on it.';


--
-- Name: COLUMN runs.tests_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.runs.tests_sha256 IS 'SHA-256 over the files of the tests beside that code; null = they were not installed there.';


--
-- Name: runs_run_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.runs ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.runs_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: schema_migrations; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.schema_migrations (
    name text NOT NULL,
    content_sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE schema_migrations; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.schema_migrations IS 'Schema files applied to this warehouse: the baseline, then the migrations that follow it. Grain: one row per file. Written by the owner only.';


--
-- Name: COLUMN schema_migrations.name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.schema_migrations.name IS 'Name of the schema file; baseline = all files of tables/ and functions/ together.';


--
-- Name: COLUMN schema_migrations.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.schema_migrations.content_sha256 IS 'SHA-256 of the file as it was applied; a file that has changed since is refused.';


--
-- Name: COLUMN schema_migrations.applied_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.schema_migrations.applied_at IS 'When it was applied.';


--
-- Name: sessions; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.sessions (
    session_date date NOT NULL,
    session_number integer NOT NULL,
    opens_at timestamp with time zone NOT NULL,
    closes_at timestamp with time zone NOT NULL
);


--
-- Name: TABLE sessions; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.sessions IS 'Trading sessions of the exchange, so that SQL can map days to sessions and count sessions back. Grain: one row per session. Kept equal to the exchange calendar.';


--
-- Name: COLUMN sessions.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.sessions.session_date IS 'Day of the session in the exchange''s zone.';


--
-- Name: COLUMN sessions.session_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.sessions.session_number IS 'Position in the calendar, ascending without gaps.';


--
-- Name: COLUMN sessions.opens_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.sessions.opens_at IS 'Start of regular trading.';


--
-- Name: COLUMN sessions.closes_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.sessions.closes_at IS 'End of regular trading; earlier on half days.';


--
-- Name: source_files; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.source_files (
    load_id bigint NOT NULL,
    file_name text NOT NULL,
    content_sha256 text NOT NULL,
    manifest_entries text,
    state text NOT NULL,
    reason text,
    row_count bigint DEFAULT 0 NOT NULL,
    loaded_count bigint DEFAULT 0 NOT NULL,
    rejected_count bigint DEFAULT 0 NOT NULL,
    duplicate_count bigint DEFAULT 0 NOT NULL,
    unchanged_count bigint DEFAULT 0 NOT NULL,
    deferred_count bigint DEFAULT 0 NOT NULL,
    is_reference boolean DEFAULT false NOT NULL,
    CONSTRAINT source_files_check CHECK (((state = ANY (ARRAY['loaded'::text, 'partly loaded'::text])) OR (reason IS NOT NULL))),
    CONSTRAINT source_files_check1 CHECK ((row_count = ((((loaded_count + rejected_count) + duplicate_count) + unchanged_count) + deferred_count))),
    CONSTRAINT source_files_state_check CHECK ((state = ANY (ARRAY['loaded'::text, 'partly loaded'::text, 'quarantined'::text, 'waiting'::text, 'unread'::text])))
);


--
-- Name: TABLE source_files; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.source_files IS 'Files that a load has read or found, with their state and row counts. Grain: one row per load and file. Append only.';


--
-- Name: COLUMN source_files.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN source_files.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.file_name IS 'File the row comes from.';


--
-- Name: COLUMN source_files.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.content_sha256 IS 'SHA-256 of the file''s bytes.';


--
-- Name: COLUMN source_files.manifest_entries; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.manifest_entries IS 'What the manifest says about the file, one line per account-session; null without a manifest.';


--
-- Name: COLUMN source_files.state; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.state IS 'loaded, partly loaded (some rows were rejected), quarantined (nothing was loaded), waiting (it is not complete: some or no rows were loaded) or unread (nothing is read under its name).';


--
-- Name: COLUMN source_files.reason; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.reason IS 'Why the file is not loaded; for a loaded file a note.';


--
-- Name: COLUMN source_files.row_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.row_count IS 'Data rows of the file; the sum of the five counts below.';


--
-- Name: COLUMN source_files.loaded_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.loaded_count IS 'Rows that became fills, corrections or reference data.';


--
-- Name: COLUMN source_files.rejected_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.rejected_count IS 'Rows that are invalid, see fill_rejects.';


--
-- Name: COLUMN source_files.duplicate_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.duplicate_count IS 'Rows that repeat another row of the same delivery.';


--
-- Name: COLUMN source_files.unchanged_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.unchanged_count IS 'Rows of account-sessions whose current delivery has the same content.';


--
-- Name: COLUMN source_files.deferred_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.deferred_count IS 'Rows of sessions after the load''s last one.';


--
-- Name: COLUMN source_files.is_reference; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.source_files.is_reference IS 'Whether it is a reference file, not one of executions.';


--
-- Name: splits; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.splits (
    split_id bigint NOT NULL,
    load_id bigint NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    session_date date NOT NULL,
    symbol text NOT NULL,
    new_shares numeric(18,8) NOT NULL,
    old_shares numeric(18,8) NOT NULL,
    new_symbol text,
    recorded_at timestamp with time zone DEFAULT risk.load_instant() NOT NULL,
    CONSTRAINT splits_check CHECK ((new_symbol <> symbol)),
    CONSTRAINT splits_new_shares_check CHECK ((new_shares > (0)::numeric)),
    CONSTRAINT splits_old_shares_check CHECK ((old_shares > (0)::numeric))
);


--
-- Name: TABLE splits; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.splits IS 'Stock splits and new symbols, effective from the open of a session. Grain: one row per statement. Append only. The current split as of an instant: the greatest split_id with recorded_at <= as_of.';


--
-- Name: COLUMN splits.split_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.split_id IS 'Key of the statement, ascending in the order of recording.';


--
-- Name: COLUMN splits.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN splits.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.file_name IS 'File the row comes from.';


--
-- Name: COLUMN splits.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN splits.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.session_date IS 'First session that trades the new shares.';


--
-- Name: COLUMN splits.symbol; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.symbol IS 'Symbol as the source writes it, upper case.';


--
-- Name: COLUMN splits.new_shares; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.new_shares IS 'New shares for old_shares old ones.';


--
-- Name: COLUMN splits.old_shares; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.old_shares IS 'Old shares.';


--
-- Name: COLUMN splits.new_symbol; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.new_symbol IS 'Symbol of the new shares; null = it stays the same.';


--
-- Name: COLUMN splits.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.splits.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: splits_split_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.splits ALTER COLUMN split_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.splits_split_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: superseded_results; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.superseded_results (
    result_id bigint NOT NULL,
    run_id bigint NOT NULL,
    as_of timestamp with time zone NOT NULL,
    account_id text NOT NULL,
    session_date date NOT NULL,
    input_fingerprint bigint NOT NULL,
    total_pnl_usd numeric,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE superseded_results; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.superseded_results IS 'Results that were in the books until their account-session was delivered again, corrected or withdrawn, whether or not a report had named them. Grain: one row per account-session and time it was computed again. Append only.';


--
-- Name: COLUMN superseded_results.result_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.superseded_results.result_id IS 'Key of the row.';


--
-- Name: COLUMN superseded_results.run_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.superseded_results.run_id IS 'Run that computed the account-session again.';


--
-- Name: COLUMN superseded_results.as_of; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.superseded_results.as_of IS 'What the new books know; the old ones knew less.';


--
-- Name: COLUMN superseded_results.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.superseded_results.account_id IS 'Account, by its name then.';


--
-- Name: COLUMN superseded_results.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.superseded_results.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN superseded_results.input_fingerprint; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.superseded_results.input_fingerprint IS 'What the old result was computed from, as in daily_pnl.';


--
-- Name: COLUMN superseded_results.total_pnl_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.superseded_results.total_pnl_usd IS 'Total P&L in the books before, US dollars, gains positive; null = incomplete.';


--
-- Name: COLUMN superseded_results.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.superseded_results.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: superseded_results_result_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.superseded_results ALTER COLUMN result_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.superseded_results_result_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: totals; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.totals (
    total_id bigint NOT NULL,
    load_id bigint NOT NULL,
    file_name text NOT NULL,
    line_number bigint NOT NULL,
    session_date date NOT NULL,
    account_id text NOT NULL,
    gross_pnl_usd numeric(18,8) NOT NULL,
    net_pnl_usd numeric(18,8) NOT NULL,
    published_at timestamp with time zone,
    recorded_at timestamp with time zone DEFAULT risk.load_instant() NOT NULL
);


--
-- Name: TABLE totals; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.totals IS 'P&L of an account-session by the source''s own books: the other side of the reconciliation, see current_totals. Grain: one row per statement. Append only.';


--
-- Name: COLUMN totals.total_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.total_id IS 'Key of the statement, ascending in the order of recording.';


--
-- Name: COLUMN totals.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN totals.file_name; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.file_name IS 'File the row comes from.';


--
-- Name: COLUMN totals.line_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.line_number IS 'Line of the row in its file.';


--
-- Name: COLUMN totals.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN totals.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.account_id IS 'Account as the source names it.';


--
-- Name: COLUMN totals.gross_pnl_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.gross_pnl_usd IS 'Gross P&L in US dollars, gains positive.';


--
-- Name: COLUMN totals.net_pnl_usd; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.net_pnl_usd IS 'Gross P&L less trade fees, US dollars.';


--
-- Name: COLUMN totals.published_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.published_at IS 'When the source published the version of the account-session that a manifest speaks of; null for a file of totals.';


--
-- Name: COLUMN totals.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.totals.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: totals_total_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.totals ALTER COLUMN total_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.totals_total_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: vendor_answers; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.vendor_answers (
    load_id bigint NOT NULL,
    session_date date NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    page_count integer NOT NULL,
    row_count bigint NOT NULL,
    finding text
);


--
-- Name: TABLE vendor_answers; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.vendor_answers IS 'Responses of the vendor''s API for each session a load requested, complete or not. Grain: one row per load and session. Append only.';


--
-- Name: COLUMN vendor_answers.load_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_answers.load_id IS 'Load that recorded the row.';


--
-- Name: COLUMN vendor_answers.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_answers.session_date IS 'Session the row belongs to.';


--
-- Name: COLUMN vendor_answers.asked_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_answers.asked_at IS 'When the session was requested.';


--
-- Name: COLUMN vendor_answers.page_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_answers.page_count IS 'Pages received.';


--
-- Name: COLUMN vendor_answers.row_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_answers.row_count IS 'Rows received.';


--
-- Name: COLUMN vendor_answers.finding; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_answers.finding IS 'Why the response is incomplete (nothing of it is loaded); null = complete.';


--
-- Name: vendor_calls; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.vendor_calls (
    vendor text NOT NULL,
    ended_at timestamp with time zone
);


--
-- Name: TABLE vendor_calls; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.vendor_calls IS 'When a vendor was last called, so that machines together keep its limit on requests. Grain: one row per vendor.';


--
-- Name: COLUMN vendor_calls.vendor; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_calls.vendor IS 'Digest of the login''s name and the address it asks.';


--
-- Name: COLUMN vendor_calls.ended_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_calls.ended_at IS 'When the last task to call it had ended; null = it is being called, or the task that called it was killed.';


--
-- Name: vendor_pages; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.vendor_pages (
    vendor text NOT NULL,
    question text NOT NULL,
    page_number integer NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    page_count integer NOT NULL,
    content bytea NOT NULL,
    content_sha256 text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE vendor_pages; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.vendor_pages IS 'Pages of the vendor''s answers that have come and are not loaded yet, so that the next try goes on where the last one ended, on whichever machine. Grain: one row per vendor, question and page. Removed when they are loaded.';


--
-- Name: COLUMN vendor_pages.vendor; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_pages.vendor IS 'Digest of the login''s name and the address it asks.';


--
-- Name: COLUMN vendor_pages.question; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_pages.question IS 'What was asked, such as fills-2025-08-15.';


--
-- Name: COLUMN vendor_pages.page_number; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_pages.page_number IS 'Number of the page, from 1.';


--
-- Name: COLUMN vendor_pages.asked_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_pages.asked_at IS 'When the first page of the answer was requested.';


--
-- Name: COLUMN vendor_pages.page_count; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_pages.page_count IS 'Pages of the answer, by its trailers.';


--
-- Name: COLUMN vendor_pages.content; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_pages.content IS 'Bytes of the page.';


--
-- Name: COLUMN vendor_pages.content_sha256; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_pages.content_sha256 IS 'SHA-256 of the bytes.';


--
-- Name: COLUMN vendor_pages.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.vendor_pages.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: withdrawals; Type: TABLE; Schema: risk; Owner: -
--

CREATE TABLE risk.withdrawals (
    withdrawal_id bigint NOT NULL,
    account_id text NOT NULL,
    session_date date NOT NULL,
    through_delivery_id bigint NOT NULL,
    is_undone boolean NOT NULL,
    author text NOT NULL,
    host text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT withdrawals_reason_check CHECK ((reason <> ''::text))
);


--
-- Name: TABLE withdrawals; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON TABLE risk.withdrawals IS 'Decisions of a person that what was delivered for an account-session does not count, or counts again; the newest one of an account-session holds, see withdrawn_deliveries. Grain: one row per decision. Append only.';


--
-- Name: COLUMN withdrawals.withdrawal_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.withdrawals.withdrawal_id IS 'Key of the decision, ascending in the order of recording.';


--
-- Name: COLUMN withdrawals.account_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.withdrawals.account_id IS 'Account as the source names it.';


--
-- Name: COLUMN withdrawals.session_date; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.withdrawals.session_date IS 'Session of the deliveries.';


--
-- Name: COLUMN withdrawals.through_delivery_id; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.withdrawals.through_delivery_id IS 'Newest delivery of the account-session then: it and all before it are meant, later ones are not.';


--
-- Name: COLUMN withdrawals.is_undone; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.withdrawals.is_undone IS 'Whether an earlier withdrawal is taken back.';


--
-- Name: COLUMN withdrawals.author; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.withdrawals.author IS 'User of the operating system who ran riskctl withdraw.';


--
-- Name: COLUMN withdrawals.host; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.withdrawals.host IS 'Machine on which it ran.';


--
-- Name: COLUMN withdrawals.reason; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.withdrawals.reason IS 'Why, in the author''s words.';


--
-- Name: COLUMN withdrawals.recorded_at; Type: COMMENT; Schema: risk; Owner: -
--

COMMENT ON COLUMN risk.withdrawals.recorded_at IS 'When the row was recorded (committed).';


--
-- Name: withdrawals_withdrawal_id_seq; Type: SEQUENCE; Schema: risk; Owner: -
--

ALTER TABLE risk.withdrawals ALTER COLUMN withdrawal_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME risk.withdrawals_withdrawal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: cut_outcomes cut_outcomes_pkey; Type: CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.cut_outcomes
    ADD CONSTRAINT cut_outcomes_pkey PRIMARY KEY (account_id, effective_session);


--
-- Name: daily_pnl daily_pnl_pkey; Type: CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.daily_pnl
    ADD CONSTRAINT daily_pnl_pkey PRIMARY KEY (account_id, session_date);


--
-- Name: features features_pkey; Type: CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.features
    ADD CONSTRAINT features_pkey PRIMARY KEY (account_id, session_date);


--
-- Name: forecasts forecasts_pkey; Type: CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.forecasts
    ADD CONSTRAINT forecasts_pkey PRIMARY KEY (account_id, effective_session, expert);


--
-- Name: gate_bets gate_bets_pkey; Type: CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.gate_bets
    ADD CONSTRAINT gate_bets_pkey PRIMARY KEY (session_date, candidate);


--
-- Name: last_fills last_fills_session_date_symbol_currency_key; Type: CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.last_fills
    ADD CONSTRAINT last_fills_session_date_symbol_currency_key UNIQUE NULLS NOT DISTINCT (session_date, symbol, currency);


--
-- Name: limit_receipts limit_receipts_pkey; Type: CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.limit_receipts
    ADD CONSTRAINT limit_receipts_pkey PRIMARY KEY (account_id, session_date);


--
-- Name: positions positions_pkey; Type: CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.positions
    ADD CONSTRAINT positions_pkey PRIMARY KEY (account_id, session_date, symbol);


--
-- Name: running_lows running_lows_pkey; Type: CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.running_lows
    ADD CONSTRAINT running_lows_pkey PRIMARY KEY (account_id, session_date);


--
-- Name: cut_track_records cut_track_records_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.cut_track_records
    ADD CONSTRAINT cut_track_records_pkey PRIMARY KEY (run_id);


--
-- Name: desk_correlations desk_correlations_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_correlations
    ADD CONSTRAINT desk_correlations_pkey PRIMARY KEY (run_id, account_id, other_account_id);


--
-- Name: desk_findings desk_findings_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_findings
    ADD CONSTRAINT desk_findings_pkey PRIMARY KEY (run_id, place);


--
-- Name: desk_scans desk_scans_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_scans
    ADD CONSTRAINT desk_scans_pkey PRIMARY KEY (run_id, session_date);


--
-- Name: desk_self_trades desk_self_trades_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_self_trades
    ADD CONSTRAINT desk_self_trades_pkey PRIMARY KEY (run_id, place);


--
-- Name: desk_tail_shares desk_tail_shares_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_tail_shares
    ADD CONSTRAINT desk_tail_shares_pkey PRIMARY KEY (run_id, account_id);


--
-- Name: desk_tails desk_tails_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_tails
    ADD CONSTRAINT desk_tails_pkey PRIMARY KEY (run_id);


--
-- Name: explanations explanations_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.explanations
    ADD CONSTRAINT explanations_pkey PRIMARY KEY (run_id, account_id);


--
-- Name: gate_results gate_results_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.gate_results
    ADD CONSTRAINT gate_results_pkey PRIMARY KEY (run_id);


--
-- Name: limit_fits limit_fits_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.limit_fits
    ADD CONSTRAINT limit_fits_pkey PRIMARY KEY (run_id, account_id);


--
-- Name: quality_results quality_results_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.quality_results
    ADD CONSTRAINT quality_results_pkey PRIMARY KEY (run_id, check_name, subject);


--
-- Name: recommendations recommendations_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.recommendations
    ADD CONSTRAINT recommendations_pkey PRIMARY KEY (run_id, account_id);


--
-- Name: rule_evidence rule_evidence_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.rule_evidence
    ADD CONSTRAINT rule_evidence_pkey PRIMARY KEY (run_id, rule_name);


--
-- Name: tail_effects tail_effects_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.tail_effects
    ADD CONSTRAINT tail_effects_pkey PRIMARY KEY (run_id);


--
-- Name: trader_fits trader_fits_pkey; Type: CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.trader_fits
    ADD CONSTRAINT trader_fits_pkey PRIMARY KEY (run_id, trader_name);


--
-- Name: accounts accounts_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (statement_id);


--
-- Name: adjustments adjustments_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.adjustments
    ADD CONSTRAINT adjustments_pkey PRIMARY KEY (adjustment_id);


--
-- Name: alarms alarms_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.alarms
    ADD CONSTRAINT alarms_pkey PRIMARY KEY (dag_id, dag_run_id, kind, clear_number);


--
-- Name: audit_log audit_log_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (audit_id);


--
-- Name: calendars calendars_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.calendars
    ADD CONSTRAINT calendars_pkey PRIMARY KEY (is_only);


--
-- Name: chain_links chain_links_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.chain_links
    ADD CONSTRAINT chain_links_pkey PRIMARY KEY (sequence);


--
-- Name: corrections corrections_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.corrections
    ADD CONSTRAINT corrections_pkey PRIMARY KEY (delivery_id, line_number, session_date);


--
-- Name: deliveries deliveries_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (delivery_id);


--
-- Name: digests digests_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.digests
    ADD CONSTRAINT digests_pkey PRIMARY KEY (through_date);


--
-- Name: excerpt_deliveries excerpt_deliveries_message_id_key; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.excerpt_deliveries
    ADD CONSTRAINT excerpt_deliveries_message_id_key UNIQUE (message_id);


--
-- Name: excerpt_deliveries excerpt_deliveries_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.excerpt_deliveries
    ADD CONSTRAINT excerpt_deliveries_pkey PRIMARY KEY (run_id, group_name, recipient);


--
-- Name: fill_rejects fill_rejects_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.fill_rejects
    ADD CONSTRAINT fill_rejects_pkey PRIMARY KEY (load_id, file_name, line_number);


--
-- Name: instruments instruments_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.instruments
    ADD CONSTRAINT instruments_pkey PRIMARY KEY (instrument_id);


--
-- Name: limit_breach_entries limit_breach_entries_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_breach_entries
    ADD CONSTRAINT limit_breach_entries_pkey PRIMARY KEY (entry_id);


--
-- Name: limit_breaches limit_breaches_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_breaches
    ADD CONSTRAINT limit_breaches_pkey PRIMARY KEY (breach_id);


--
-- Name: limit_change_decisions limit_change_decisions_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_change_decisions
    ADD CONSTRAINT limit_change_decisions_pkey PRIMARY KEY (change_id);


--
-- Name: limit_changes limit_changes_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_changes
    ADD CONSTRAINT limit_changes_pkey PRIMARY KEY (change_id);


--
-- Name: limit_decisions limit_decisions_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_decisions
    ADD CONSTRAINT limit_decisions_pkey PRIMARY KEY (decision_id);


--
-- Name: loads loads_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.loads
    ADD CONSTRAINT loads_pkey PRIMARY KEY (load_id);


--
-- Name: marks marks_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.marks
    ADD CONSTRAINT marks_pkey PRIMARY KEY (mark_id);


--
-- Name: model_versions model_versions_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.model_versions
    ADD CONSTRAINT model_versions_pkey PRIMARY KEY (model_id);


--
-- Name: notes notes_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.notes
    ADD CONSTRAINT notes_pkey PRIMARY KEY (note_id);


--
-- Name: platform_limits platform_limits_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.platform_limits
    ADD CONSTRAINT platform_limits_pkey PRIMARY KEY (statement_id);


--
-- Name: policies policies_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (version);


--
-- Name: policy_request_decisions policy_request_decisions_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.policy_request_decisions
    ADD CONSTRAINT policy_request_decisions_pkey PRIMARY KEY (request_id);


--
-- Name: policy_requests policy_requests_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.policy_requests
    ADD CONSTRAINT policy_requests_pkey PRIMARY KEY (request_id);


--
-- Name: policy_trial_outcomes policy_trial_outcomes_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.policy_trial_outcomes
    ADD CONSTRAINT policy_trial_outcomes_pkey PRIMARY KEY (outcome_id);


--
-- Name: policy_trials policy_trials_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.policy_trials
    ADD CONSTRAINT policy_trials_pkey PRIMARY KEY (trial_number);


--
-- Name: policy_trials policy_trials_trial_sha256_key; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.policy_trials
    ADD CONSTRAINT policy_trials_trial_sha256_key UNIQUE (trial_sha256);


--
-- Name: policy_verdicts policy_verdicts_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.policy_verdicts
    ADD CONSTRAINT policy_verdicts_pkey PRIMARY KEY (verdict_id);


--
-- Name: publication_deliveries publication_deliveries_message_id_key; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.publication_deliveries
    ADD CONSTRAINT publication_deliveries_message_id_key UNIQUE (message_id);


--
-- Name: publication_deliveries publication_deliveries_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.publication_deliveries
    ADD CONSTRAINT publication_deliveries_pkey PRIMARY KEY (publication_id, kind, recipient);


--
-- Name: publications publications_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.publications
    ADD CONSTRAINT publications_pkey PRIMARY KEY (publication_id);


--
-- Name: publications publications_run_id_key; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.publications
    ADD CONSTRAINT publications_run_id_key UNIQUE (run_id);


--
-- Name: published_limits published_limits_decision_id_key; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.published_limits
    ADD CONSTRAINT published_limits_decision_id_key UNIQUE (decision_id);


--
-- Name: published_limits published_limits_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.published_limits
    ADD CONSTRAINT published_limits_pkey PRIMARY KEY (publication_id, account_id);


--
-- Name: report_deliveries report_deliveries_message_id_key; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.report_deliveries
    ADD CONSTRAINT report_deliveries_message_id_key UNIQUE (message_id);


--
-- Name: report_deliveries report_deliveries_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.report_deliveries
    ADD CONSTRAINT report_deliveries_pkey PRIMARY KEY (run_id, recipient);


--
-- Name: report_digests report_digests_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.report_digests
    ADD CONSTRAINT report_digests_pkey PRIMARY KEY (run_id);


--
-- Name: report_parts report_parts_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.report_parts
    ADD CONSTRAINT report_parts_pkey PRIMARY KEY (run_id, part_name);


--
-- Name: reports reports_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.reports
    ADD CONSTRAINT reports_pkey PRIMARY KEY (run_id);


--
-- Name: restores restores_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.restores
    ADD CONSTRAINT restores_pkey PRIMARY KEY (restore_id);


--
-- Name: runs runs_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (run_id);


--
-- Name: runs runs_session_date_revision_key; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.runs
    ADD CONSTRAINT runs_session_date_revision_key UNIQUE (session_date, revision);


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);


--
-- Name: sessions sessions_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (session_date);


--
-- Name: sessions sessions_session_number_key; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.sessions
    ADD CONSTRAINT sessions_session_number_key UNIQUE (session_number) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: source_files source_files_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.source_files
    ADD CONSTRAINT source_files_pkey PRIMARY KEY (load_id, file_name);


--
-- Name: splits splits_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.splits
    ADD CONSTRAINT splits_pkey PRIMARY KEY (split_id);


--
-- Name: superseded_results superseded_results_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.superseded_results
    ADD CONSTRAINT superseded_results_pkey PRIMARY KEY (result_id);


--
-- Name: totals totals_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.totals
    ADD CONSTRAINT totals_pkey PRIMARY KEY (total_id);


--
-- Name: vendor_answers vendor_answers_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.vendor_answers
    ADD CONSTRAINT vendor_answers_pkey PRIMARY KEY (load_id, session_date);


--
-- Name: vendor_calls vendor_calls_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.vendor_calls
    ADD CONSTRAINT vendor_calls_pkey PRIMARY KEY (vendor);


--
-- Name: vendor_pages vendor_pages_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.vendor_pages
    ADD CONSTRAINT vendor_pages_pkey PRIMARY KEY (vendor, question, page_number);


--
-- Name: withdrawals withdrawals_pkey; Type: CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.withdrawals
    ADD CONSTRAINT withdrawals_pkey PRIMARY KEY (withdrawal_id);


--
-- Name: cut_outcomes_session; Type: INDEX; Schema: derived; Owner: -
--

CREATE INDEX cut_outcomes_session ON derived.cut_outcomes USING btree (effective_session, account_id);


--
-- Name: limit_receipts_beyond; Type: INDEX; Schema: derived; Owner: -
--

CREATE INDEX limit_receipts_beyond ON derived.limit_receipts USING btree (session_date, account_id) WHERE (outcome <> 'within'::text);


--
-- Name: positions_valued; Type: INDEX; Schema: derived; Owner: -
--

CREATE INDEX positions_valued ON derived.positions USING btree (session_date, symbol) WHERE ((quantity <> (0)::numeric) OR (expired_quantity <> (0)::numeric) OR (multiplier IS NULL) OR (rate IS DISTINCT FROM (1)::numeric) OR (split_ratio IS NOT NULL) OR ((symbol !~ '^[A-Z]+$'::text) AND (length(symbol) <> 21)));


--
-- Name: audit_log_dag_run; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX audit_log_dag_run ON risk.audit_log USING btree (dag_run_id, dag_id);


--
-- Name: chain_links_subject; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX chain_links_subject ON risk.chain_links USING btree (kind, subject);


--
-- Name: deliveries_account_session; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX deliveries_account_session ON risk.deliveries USING btree (account_id, session_date, recorded_at);


--
-- Name: fills_delivery; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX fills_delivery ON risk.fills USING btree (delivery_id);


--
-- Name: fills_session; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX fills_session ON risk.fills USING brin (session_date) WITH (pages_per_range='16', autosummarize='on');


--
-- Name: limit_breach_entries_sessions; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX limit_breach_entries_sessions ON risk.limit_breach_entries USING btree (session_date, account_id);


--
-- Name: limit_breaches_sessions; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX limit_breaches_sessions ON risk.limit_breaches USING btree (session_date, account_id);


--
-- Name: limit_decisions_outcome; Type: INDEX; Schema: risk; Owner: -
--

CREATE UNIQUE INDEX limit_decisions_outcome ON risk.limit_decisions USING btree (publication_id, account_id) WHERE (action <> 'edited'::text);


--
-- Name: marks_session; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX marks_session ON risk.marks USING btree (session_date, symbol, mark_id);


--
-- Name: model_versions_content; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX model_versions_content ON risk.model_versions USING btree (content_sha256);


--
-- Name: notes_accounts; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX notes_accounts ON risk.notes USING btree (account_id, session_date);


--
-- Name: notes_sessions; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX notes_sessions ON risk.notes USING btree (session_date);


--
-- Name: platform_limits_newest; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX platform_limits_newest ON risk.platform_limits USING btree (account_id, recorded_at);


--
-- Name: policy_trial_outcomes_trial; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX policy_trial_outcomes_trial ON risk.policy_trial_outcomes USING btree (trial_number);


--
-- Name: policy_verdicts_content; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX policy_verdicts_content ON risk.policy_verdicts USING btree (content_sha256);


--
-- Name: published_limits_session; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX published_limits_session ON risk.published_limits USING btree (effective_session, account_id);


--
-- Name: superseded_results_as_of; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX superseded_results_as_of ON risk.superseded_results USING btree (as_of);


--
-- Name: vendor_answers_session; Type: INDEX; Schema: risk; Owner: -
--

CREATE INDEX vendor_answers_session ON risk.vendor_answers USING btree (session_date, asked_at);


--
-- Name: deliveries backdate_history; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER backdate_history BEFORE INSERT ON risk.deliveries FOR EACH ROW EXECUTE FUNCTION risk.backdate_history();


--
-- Name: totals backdate_history; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER backdate_history BEFORE INSERT ON risk.totals FOR EACH ROW EXECUTE FUNCTION risk.backdate_history();


--
-- Name: loads check_history; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_history BEFORE INSERT ON risk.loads FOR EACH ROW WHEN (new.is_history) EXECUTE FUNCTION risk.check_history();


--
-- Name: limit_decisions check_limit_decisions; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_limit_decisions AFTER INSERT ON risk.limit_decisions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.check_limit_decisions();


--
-- Name: limit_decisions check_limit_sources; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_limit_sources AFTER INSERT ON risk.limit_decisions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.check_limit_sources();


--
-- Name: limit_changes check_page_role; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_page_role BEFORE INSERT ON risk.limit_changes FOR EACH ROW WHEN ((new.requested_by !~ '@'::text)) EXECUTE FUNCTION risk.check_page_role();


--
-- Name: limit_decisions check_page_role; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_page_role BEFORE INSERT ON risk.limit_decisions FOR EACH ROW WHEN (((new.user_id <> ''::text) AND (new.carried_from IS NULL))) EXECUTE FUNCTION risk.check_page_role();


--
-- Name: platform_limits check_page_role; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_page_role BEFORE INSERT ON risk.platform_limits FOR EACH ROW WHEN ((new.user_id IS NOT NULL)) EXECUTE FUNCTION risk.check_page_role();


--
-- Name: policy_requests check_page_role; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_page_role BEFORE INSERT ON risk.policy_requests FOR EACH ROW WHEN ((new.requested_by !~ '@'::text)) EXECUTE FUNCTION risk.check_page_role();


--
-- Name: limit_decisions check_pipeline_role; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_pipeline_role BEFORE INSERT ON risk.limit_decisions FOR EACH ROW WHEN (((new.user_id = ''::text) OR (new.carried_from IS NOT NULL))) EXECUTE FUNCTION risk.check_pipeline_role();


--
-- Name: platform_limits check_pipeline_role; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_pipeline_role BEFORE INSERT ON risk.platform_limits FOR EACH ROW WHEN ((new.user_id IS NULL)) EXECUTE FUNCTION risk.check_pipeline_role();


--
-- Name: published_limits check_published_limits; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER check_published_limits AFTER INSERT ON risk.published_limits REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.check_published_limits();


--
-- Name: reports link_parts; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_parts BEFORE INSERT ON risk.reports FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('parts');


--
-- Name: accounts link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.accounts REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('all', 'statement_id');


--
-- Name: adjustments link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.adjustments REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('all', 'adjustment_id');


--
-- Name: deliveries link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.deliveries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'delivery_id');


--
-- Name: instruments link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.instruments REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('all', 'instrument_id');


--
-- Name: limit_breach_entries link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.limit_breach_entries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'entry_id');


--
-- Name: limit_change_decisions link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.limit_change_decisions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'change_id');


--
-- Name: limit_changes link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.limit_changes REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'change_id');


--
-- Name: limit_decisions link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.limit_decisions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'decision_id');


--
-- Name: marks link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.marks REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('all', 'mark_id');


--
-- Name: model_versions link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.model_versions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'model_id');


--
-- Name: notes link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.notes REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'note_id');


--
-- Name: platform_limits link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.platform_limits REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'statement_id');


--
-- Name: policies link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.policies REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'version');


--
-- Name: policy_request_decisions link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.policy_request_decisions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'request_id');


--
-- Name: policy_requests link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.policy_requests REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'request_id');


--
-- Name: policy_trials link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.policy_trials REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'trial_number');


--
-- Name: policy_verdicts link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.policy_verdicts REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'verdict_id');


--
-- Name: publications link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.publications REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'publication_id');


--
-- Name: published_limits link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.published_limits REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'decision_id');


--
-- Name: report_digests link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.report_digests REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'run_id');


--
-- Name: reports link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.reports REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'run_id');


--
-- Name: restores link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.restores REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'restore_id', 'replaced_sequence');


--
-- Name: source_files link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.source_files REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'load_id', 'file_name');


--
-- Name: splits link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.splits REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('all', 'split_id');


--
-- Name: totals link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.totals REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('all', 'total_id');


--
-- Name: withdrawals link_rows; Type: TRIGGER; Schema: risk; Owner: -
--

CREATE TRIGGER link_rows AFTER INSERT ON risk.withdrawals REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION risk.link_rows('each', 'withdrawal_id');


--
-- Name: cut_outcomes cut_outcomes_effective_session_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.cut_outcomes
    ADD CONSTRAINT cut_outcomes_effective_session_fkey FOREIGN KEY (effective_session) REFERENCES risk.sessions(session_date);


--
-- Name: cut_outcomes cut_outcomes_run_id_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.cut_outcomes
    ADD CONSTRAINT cut_outcomes_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: daily_pnl daily_pnl_session_date_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.daily_pnl
    ADD CONSTRAINT daily_pnl_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: features features_session_date_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.features
    ADD CONSTRAINT features_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: forecasts forecasts_effective_session_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.forecasts
    ADD CONSTRAINT forecasts_effective_session_fkey FOREIGN KEY (effective_session) REFERENCES risk.sessions(session_date);


--
-- Name: forecasts forecasts_model_id_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.forecasts
    ADD CONSTRAINT forecasts_model_id_fkey FOREIGN KEY (model_id) REFERENCES risk.model_versions(model_id);


--
-- Name: forecasts forecasts_run_id_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.forecasts
    ADD CONSTRAINT forecasts_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: gate_bets gate_bets_run_id_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.gate_bets
    ADD CONSTRAINT gate_bets_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: gate_bets gate_bets_session_date_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.gate_bets
    ADD CONSTRAINT gate_bets_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: limit_receipts limit_receipts_account_id_session_date_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.limit_receipts
    ADD CONSTRAINT limit_receipts_account_id_session_date_fkey FOREIGN KEY (account_id, session_date) REFERENCES derived.running_lows(account_id, session_date) ON DELETE CASCADE;


--
-- Name: running_lows running_lows_account_id_session_date_fkey; Type: FK CONSTRAINT; Schema: derived; Owner: -
--

ALTER TABLE ONLY derived.running_lows
    ADD CONSTRAINT running_lows_account_id_session_date_fkey FOREIGN KEY (account_id, session_date) REFERENCES derived.daily_pnl(account_id, session_date) ON DELETE CASCADE;


--
-- Name: cut_track_records cut_track_records_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.cut_track_records
    ADD CONSTRAINT cut_track_records_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: desk_correlations desk_correlations_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_correlations
    ADD CONSTRAINT desk_correlations_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: desk_findings desk_findings_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_findings
    ADD CONSTRAINT desk_findings_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: desk_scans desk_scans_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_scans
    ADD CONSTRAINT desk_scans_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: desk_self_trades desk_self_trades_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_self_trades
    ADD CONSTRAINT desk_self_trades_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: desk_tail_shares desk_tail_shares_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_tail_shares
    ADD CONSTRAINT desk_tail_shares_run_id_fkey FOREIGN KEY (run_id) REFERENCES results.desk_tails(run_id);


--
-- Name: desk_tails desk_tails_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.desk_tails
    ADD CONSTRAINT desk_tails_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: explanations explanations_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.explanations
    ADD CONSTRAINT explanations_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: gate_results gate_results_model_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.gate_results
    ADD CONSTRAINT gate_results_model_id_fkey FOREIGN KEY (model_id) REFERENCES risk.model_versions(model_id);


--
-- Name: gate_results gate_results_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.gate_results
    ADD CONSTRAINT gate_results_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: limit_fits limit_fits_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.limit_fits
    ADD CONSTRAINT limit_fits_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: quality_results quality_results_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.quality_results
    ADD CONSTRAINT quality_results_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: recommendations recommendations_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.recommendations
    ADD CONSTRAINT recommendations_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: rule_evidence rule_evidence_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.rule_evidence
    ADD CONSTRAINT rule_evidence_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: tail_effects tail_effects_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.tail_effects
    ADD CONSTRAINT tail_effects_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: trader_fits trader_fits_run_id_fkey; Type: FK CONSTRAINT; Schema: results; Owner: -
--

ALTER TABLE ONLY results.trader_fits
    ADD CONSTRAINT trader_fits_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: accounts accounts_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.accounts
    ADD CONSTRAINT accounts_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: adjustments adjustments_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.adjustments
    ADD CONSTRAINT adjustments_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: adjustments adjustments_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.adjustments
    ADD CONSTRAINT adjustments_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: corrections corrections_delivery_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.corrections
    ADD CONSTRAINT corrections_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES risk.deliveries(delivery_id);


--
-- Name: deliveries deliveries_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.deliveries
    ADD CONSTRAINT deliveries_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: deliveries deliveries_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.deliveries
    ADD CONSTRAINT deliveries_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: excerpt_deliveries excerpt_deliveries_run_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.excerpt_deliveries
    ADD CONSTRAINT excerpt_deliveries_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: fill_rejects fill_rejects_delivery_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.fill_rejects
    ADD CONSTRAINT fill_rejects_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES risk.deliveries(delivery_id);


--
-- Name: fill_rejects fill_rejects_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.fill_rejects
    ADD CONSTRAINT fill_rejects_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: instruments instruments_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.instruments
    ADD CONSTRAINT instruments_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: limit_breaches limit_breaches_run_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_breaches
    ADD CONSTRAINT limit_breaches_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: limit_change_decisions limit_change_decisions_change_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_change_decisions
    ADD CONSTRAINT limit_change_decisions_change_id_fkey FOREIGN KEY (change_id) REFERENCES risk.limit_changes(change_id);


--
-- Name: limit_changes limit_changes_replaces_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_changes
    ADD CONSTRAINT limit_changes_replaces_fkey FOREIGN KEY (replaces) REFERENCES risk.limit_changes(change_id);


--
-- Name: limit_decisions limit_decisions_carried_from_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_decisions
    ADD CONSTRAINT limit_decisions_carried_from_fkey FOREIGN KEY (carried_from) REFERENCES risk.limit_decisions(decision_id);


--
-- Name: limit_decisions limit_decisions_publication_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.limit_decisions
    ADD CONSTRAINT limit_decisions_publication_id_fkey FOREIGN KEY (publication_id) REFERENCES risk.publications(publication_id);


--
-- Name: marks marks_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.marks
    ADD CONSTRAINT marks_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: marks marks_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.marks
    ADD CONSTRAINT marks_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: model_versions model_versions_first_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.model_versions
    ADD CONSTRAINT model_versions_first_session_date_fkey FOREIGN KEY (first_session_date) REFERENCES risk.sessions(session_date);


--
-- Name: model_versions model_versions_last_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.model_versions
    ADD CONSTRAINT model_versions_last_session_date_fkey FOREIGN KEY (last_session_date) REFERENCES risk.sessions(session_date);


--
-- Name: notes notes_corrects_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.notes
    ADD CONSTRAINT notes_corrects_fkey FOREIGN KEY (corrects) REFERENCES risk.notes(note_id);


--
-- Name: platform_limits platform_limits_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.platform_limits
    ADD CONSTRAINT platform_limits_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: policy_request_decisions policy_request_decisions_request_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.policy_request_decisions
    ADD CONSTRAINT policy_request_decisions_request_id_fkey FOREIGN KEY (request_id) REFERENCES risk.policy_requests(request_id);


--
-- Name: policy_trial_outcomes policy_trial_outcomes_trial_number_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.policy_trial_outcomes
    ADD CONSTRAINT policy_trial_outcomes_trial_number_fkey FOREIGN KEY (trial_number) REFERENCES risk.policy_trials(trial_number);


--
-- Name: publication_deliveries publication_deliveries_publication_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.publication_deliveries
    ADD CONSTRAINT publication_deliveries_publication_id_fkey FOREIGN KEY (publication_id) REFERENCES risk.publications(publication_id);


--
-- Name: publications publications_effective_session_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.publications
    ADD CONSTRAINT publications_effective_session_fkey FOREIGN KEY (effective_session) REFERENCES risk.sessions(session_date);


--
-- Name: publications publications_run_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.publications
    ADD CONSTRAINT publications_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: published_limits published_limits_decision_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.published_limits
    ADD CONSTRAINT published_limits_decision_id_fkey FOREIGN KEY (decision_id) REFERENCES risk.limit_decisions(decision_id);


--
-- Name: published_limits published_limits_effective_session_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.published_limits
    ADD CONSTRAINT published_limits_effective_session_fkey FOREIGN KEY (effective_session) REFERENCES risk.sessions(session_date);


--
-- Name: published_limits published_limits_publication_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.published_limits
    ADD CONSTRAINT published_limits_publication_id_fkey FOREIGN KEY (publication_id) REFERENCES risk.publications(publication_id);


--
-- Name: report_deliveries report_deliveries_run_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.report_deliveries
    ADD CONSTRAINT report_deliveries_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: report_digests report_digests_run_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.report_digests
    ADD CONSTRAINT report_digests_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.reports(run_id);


--
-- Name: report_parts report_parts_run_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.report_parts
    ADD CONSTRAINT report_parts_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: reports reports_run_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.reports
    ADD CONSTRAINT reports_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: runs runs_effective_session_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.runs
    ADD CONSTRAINT runs_effective_session_fkey FOREIGN KEY (effective_session) REFERENCES risk.sessions(session_date);


--
-- Name: runs runs_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.runs
    ADD CONSTRAINT runs_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: runs runs_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.runs
    ADD CONSTRAINT runs_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: source_files source_files_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.source_files
    ADD CONSTRAINT source_files_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: splits splits_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.splits
    ADD CONSTRAINT splits_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: splits splits_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.splits
    ADD CONSTRAINT splits_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: superseded_results superseded_results_run_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.superseded_results
    ADD CONSTRAINT superseded_results_run_id_fkey FOREIGN KEY (run_id) REFERENCES risk.runs(run_id);


--
-- Name: superseded_results superseded_results_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.superseded_results
    ADD CONSTRAINT superseded_results_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: totals totals_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.totals
    ADD CONSTRAINT totals_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: totals totals_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.totals
    ADD CONSTRAINT totals_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: vendor_answers vendor_answers_load_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.vendor_answers
    ADD CONSTRAINT vendor_answers_load_id_fkey FOREIGN KEY (load_id) REFERENCES risk.loads(load_id);


--
-- Name: vendor_answers vendor_answers_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.vendor_answers
    ADD CONSTRAINT vendor_answers_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: withdrawals withdrawals_session_date_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.withdrawals
    ADD CONSTRAINT withdrawals_session_date_fkey FOREIGN KEY (session_date) REFERENCES risk.sessions(session_date);


--
-- Name: withdrawals withdrawals_through_delivery_id_fkey; Type: FK CONSTRAINT; Schema: risk; Owner: -
--

ALTER TABLE ONLY risk.withdrawals
    ADD CONSTRAINT withdrawals_through_delivery_id_fkey FOREIGN KEY (through_delivery_id) REFERENCES risk.deliveries(delivery_id);


--
-- PostgreSQL database dump complete
--


