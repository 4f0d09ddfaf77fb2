-- Nothing is materialized, so that a condition on session_date reaches the deliveries. Only those of names into which
-- others were merged are grouped: to group those of every account and session is half of the work.
create function risk.book_inputs(as_of timestamptz, source_account_ids text[] default null)
returns table (
    account_id text,
    session_date date,
    input_fingerprint bigint,
    fill_count bigint,
    is_incomplete boolean
)
language sql
stable
parallel safe
as $$
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

comment on function risk.book_inputs(timestamptz, text[]) is
'What the books of an account-session are built from, as known at an instant; of all accounts, or of those delivered '
'under some names. input_fingerprint: the delivery with the fills; where others brought corrections, a negative hash '
'of them all. fill_count: fills that count; 0 where all were canceled, only corrections came or every row was '
'rejected. is_incomplete: rows that may be executions are lost. Grain: one row per account and session.';
