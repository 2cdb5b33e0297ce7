// A small environment for trying things out: it makes the systems of record too, and nothing is redundant.
using './main.bicep'

param environmentName = 'dev'
param isFirstDeployment = bool(readEnvironmentVariable('FIRST_DEPLOYMENT', 'false'))
param createSystemsOfRecord = true
param cosmosCapacity = 'serverless'
param storageRedundancy = 'Standard_LRS'
param evidenceDays = 1
param logGigabytesPerDay = 1
param alarmEmail = readEnvironmentVariable('ALARM_EMAIL', 'privacy@controller.example')
param deployerPrincipalId = readEnvironmentVariable('DEPLOYER_PRINCIPAL_ID', '')
param controllerName = 'ClickLearn (development)'
param controllerAddress = 'Example Street 1, 1000 Example City, Denmark'
param controllerEmail = 'privacy@controller.example'
param contactsVerifiedOn = readEnvironmentVariable('CONTACTS_VERIFIED_ON', '')
param graphMailbox = readEnvironmentVariable('GRAPH_MAILBOX', 'privacy@controller.example')
param staffClientId = readEnvironmentVariable('STAFF_CLIENT_ID', '00000000-0000-0000-0000-000000000000')
