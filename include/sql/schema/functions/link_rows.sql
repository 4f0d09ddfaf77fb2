-- Links what a statement inserts, and before a report the fills, corrections and rejected rows that were loaded since
-- the last one: to hash a million of them takes longer than a load may, and the mail of that report is their witness.
-- Security definer: the pipeline's role chooses neither content, previous link nor time.
create function risk.link_rows()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO'
as $$
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
$$;

comment on function risk.link_rows() is
'Appends links to the chain for the rows that a statement inserted: one for each, or one for all. Its arguments are '
'each or all, and the columns of the key; or parts, before a report, for what was loaded since the last one.';

create trigger link_rows
after insert on risk.accounts
referencing new table as added
for each statement
execute function risk.link_rows('all', 'statement_id');

create trigger link_rows
after insert on risk.adjustments
referencing new table as added
for each statement
execute function risk.link_rows('all', 'adjustment_id');

create trigger link_rows
after insert on risk.deliveries
referencing new table as added
for each statement
execute function risk.link_rows('each', 'delivery_id');

create trigger link_rows
after insert on risk.instruments
referencing new table as added
for each statement
execute function risk.link_rows('all', 'instrument_id');

create trigger link_rows
after insert on risk.limit_breach_entries
referencing new table as added
for each statement
execute function risk.link_rows('each', 'entry_id');

create trigger link_rows
after insert on risk.limit_change_decisions
referencing new table as added
for each statement
execute function risk.link_rows('each', 'change_id');

create trigger link_rows
after insert on risk.limit_changes
referencing new table as added
for each statement
execute function risk.link_rows('each', 'change_id');

create trigger link_rows
after insert on risk.limit_decisions
referencing new table as added
for each statement
execute function risk.link_rows('each', 'decision_id');

create trigger link_rows
after insert on risk.marks
referencing new table as added
for each statement
execute function risk.link_rows('all', 'mark_id');

create trigger link_rows
after insert on risk.model_versions
referencing new table as added
for each statement
execute function risk.link_rows('each', 'model_id');

create trigger link_rows
after insert on risk.notes
referencing new table as added
for each statement
execute function risk.link_rows('each', 'note_id');

create trigger link_rows
after insert on risk.platform_limits
referencing new table as added
for each statement
execute function risk.link_rows('each', 'statement_id');

create trigger link_rows
after insert on risk.policies
referencing new table as added
for each statement
execute function risk.link_rows('each', 'version');

create trigger link_rows
after insert on risk.policy_request_decisions
referencing new table as added
for each statement
execute function risk.link_rows('each', 'request_id');

create trigger link_rows
after insert on risk.policy_requests
referencing new table as added
for each statement
execute function risk.link_rows('each', 'request_id');

create trigger link_rows
after insert on risk.policy_trials
referencing new table as added
for each statement
execute function risk.link_rows('each', 'trial_number');

create trigger link_rows
after insert on risk.policy_verdicts
referencing new table as added
for each statement
execute function risk.link_rows('each', 'verdict_id');

create trigger link_rows
after insert on risk.publications
referencing new table as added
for each statement
execute function risk.link_rows('each', 'publication_id');

create trigger link_rows
after insert on risk.published_limits
referencing new table as added
for each statement
execute function risk.link_rows('each', 'decision_id');

create trigger link_parts
before insert on risk.reports
for each statement
execute function risk.link_rows('parts');

create trigger link_rows
after insert on risk.report_digests
referencing new table as added
for each statement
execute function risk.link_rows('each', 'run_id');

create trigger link_rows
after insert on risk.reports
referencing new table as added
for each statement
execute function risk.link_rows('each', 'run_id');

create trigger link_rows
after insert on risk.restores
referencing new table as added
for each statement
execute function risk.link_rows('each', 'restore_id', 'replaced_sequence');

create trigger link_rows
after insert on risk.source_files
referencing new table as added
for each statement
execute function risk.link_rows('each', 'load_id', 'file_name');

create trigger link_rows
after insert on risk.splits
referencing new table as added
for each statement
execute function risk.link_rows('all', 'split_id');

create trigger link_rows
after insert on risk.totals
referencing new table as added
for each statement
execute function risk.link_rows('all', 'total_id');

create trigger link_rows
after insert on risk.withdrawals
referencing new table as added
for each statement
execute function risk.link_rows('each', 'withdrawal_id');
