<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>DeadLettersDialog</name>
    <message numerus="yes">
        <source>Remove %n job(s) for good?</source>
        <translation>
            <numerusform>Remove %n job for good?</numerusform>
            <numerusform>Remove %n jobs for good?</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Deciding</name>
    <message numerus="yes">
        <source>Accept %n proposal(s)?</source>
        <translation>
            <numerusform>Accept %n proposal?</numerusform>
            <numerusform>Accept %n proposals?</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Refuse %n proposal(s)?</source>
        <translation>
            <numerusform>Refuse %n proposal?</numerusform>
            <numerusform>Refuse %n proposals?</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FilesPresenter</name>
    <message numerus="yes">
        <source>%n file(s) are still to be read.</source>
        <translation>
            <numerusform>%n file is still to be read.</numerusform>
            <numerusform>%n files are still to be read.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n file(s) could not be read in full</source>
        <translation>
            <numerusform>%n file could not be read in full</numerusform>
            <numerusform>%n files could not be read in full</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n file(s) can be searched</source>
        <translation>
            <numerusform>%n file can be searched</numerusform>
            <numerusform>%n files can be searched</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Memory</name>
    <message numerus="yes">
        <source>Forgotten: %n fact(s).</source>
        <translation>
            <numerusform>Forgotten: %n fact.</numerusform>
            <numerusform>Forgotten: %n facts.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StatusPresenter</name>
    <message numerus="yes">
        <source>%n job(s) failed.</source>
        <translation>
            <numerusform>%n job failed.</numerusform>
            <numerusform>%n jobs failed.</numerusform>
        </translation>
    </message>
</context>
</TS>
