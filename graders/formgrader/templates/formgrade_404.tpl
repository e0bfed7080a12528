{%- extends 'nbgrader/base.tpl' -%}

{%- block title -%}
{{ resources.notebook_id }}
{%- endblock -%}

{%- block body -%}
<div class="panel panel-warning"><div class="panel-body">{{ words.missing }}</div></div>
{%- endblock -%}
