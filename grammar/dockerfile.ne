# The grammar of one Dockerfile instruction.
#
# It is to be read beside the Dockerfile reference, and it says what that says: which instruction takes flags, how many
# arguments of which form. The terminals come from src/parser/syntax: an instruction's keyword is a terminal of its own
# (%FROM for `from` in any case), and
#
#   %flag        --name or --name=value, quotes and escapes removed
#   %word        a word between blanks; quotes are part of it
#   %AS          the word `as` in any case, in a FROM
#   %text        everything up to the end of the line: a shell command, a path, a name
#   %pair        key=value, as ENV and LABEL have it; quotes may hold blanks together and are part of it
#   %name        the key of the old form `ENV key value`
#   %definition  name or name=value, as ARG has it
#   "[" "," "]" %string   a JSON array of strings: the exec form
#   %heredoc     a body with its closing line
#   %NONE %CMD   the first word after HEALTHCHECK, in any case
#   %trigger     a whole instruction inside ONBUILD
#
# What is not context-free is done before this: joining lines, dropping comments, the escape directive, heredoc bodies
# (whose end depends on a word at their start), and whether an argument is JSON (text that is not quite JSON is shell form).
# So this grammar sees one instruction at a time, which also keeps the time it takes proportional to the file.
#
# Compiled by scripts/grammar.mjs. Every alternative is unambiguous; a test holds that.

@lexer tokens
@{% import { append, list, node, pass, second } from "../syntax/tree.ts"; %}

instruction -> from        {% pass %}
             | arg         {% pass %}
             | env         {% pass %}
             | label       {% pass %}
             | run         {% pass %}
             | cmd         {% pass %}
             | entrypoint  {% pass %}
             | shell       {% pass %}
             | copy        {% pass %}
             | add         {% pass %}
             | workdir     {% pass %}
             | user        {% pass %}
             | expose      {% pass %}
             | volume      {% pass %}
             | stopsignal  {% pass %}
             | healthcheck {% pass %}
             | maintainer  {% pass %}
             | onbuild     {% pass %}

# --- Stages and build arguments

from -> %FROM flags word            {% node("_ flags image") %}
      | %FROM flags word %AS word   {% node("_ flags image _ name") %}

arg -> %ARG flags definitions       {% node("_ flags definitions") %}

definitions -> %definition              {% list %}
             | definitions %definition  {% append %}

# --- Metadata

env        -> %ENV flags settings            {% node("_ flags ...") %}
label      -> %LABEL flags settings          {% node("_ flags ...") %}
maintainer -> %MAINTAINER flags %text        {% node("_ flags text") %}
expose     -> %EXPOSE flags words            {% node("_ flags words") %}
stopsignal -> %STOPSIGNAL flags %text        {% node("_ flags text") %}
user       -> %USER flags %text              {% node("_ flags text") %}
workdir    -> %WORKDIR flags %text           {% node("_ flags text") %}

volume     -> %VOLUME flags words            {% node("_ flags words") %}
            | %VOLUME flags strings          {% node("_ flags words") %}

settings -> pairs            {% node("pairs") %}
          | %name %text      {% node("name text") %}

pairs -> %pair               {% list %}
       | pairs %pair         {% append %}

# --- Commands

run        -> %RUN flags command heredocs    {% node("_ flags ... heredocs") %}
cmd        -> %CMD flags command             {% node("_ flags ...") %}
entrypoint -> %ENTRYPOINT flags command      {% node("_ flags ...") %}
shell      -> %SHELL flags strings           {% node("_ flags argv") %}

healthcheck -> %HEALTHCHECK flags %NONE          {% node("_ flags none") %}
             | %HEALTHCHECK flags %CMD strings   {% node("_ flags _ argv") %}
             | %HEALTHCHECK flags %CMD %text     {% node("_ flags _ text") %}

command -> null              {% node("") %}
         | %text             {% node("text") %}
         | "[" "]"           {% node("_ _") %}
         | strings           {% node("argv") %}

# --- Files

copy -> %COPY flags paths heredocs   {% node("_ flags ... heredocs") %}
add  -> %ADD flags paths heredocs    {% node("_ flags ... heredocs") %}

paths -> words word                        {% node("sources destination") %}
       | "[" items "," %string "]"         {% node("_ sources _ destination _") %}

# --- Triggers

onbuild -> %ONBUILD flags %trigger heredocs   {% node("_ flags trigger heredocs") %}

# --- Parts

flags    -> null                 {% list %}
          | flags %flag          {% append %}

heredocs -> null                 {% list %}
          | heredocs %heredoc    {% append %}

words    -> word                 {% list %}
          | words word           {% append %}

word     -> %word                {% pass %}
          | %AS                  {% pass %}

# An array with at least one string.
strings  -> "[" items "]"        {% second %}

items    -> %string              {% list %}
          | items "," %string    {% append %}
